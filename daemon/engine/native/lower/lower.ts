import { type Graph, type GraphOutput, type Node } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import { broadcastOf } from '../broadcast.js';
import { movesOf } from '../moves.js';
import { productsOf } from '../products.js';
import { isElementwise } from '../roles.js';
import { addMirrors, addOneHot, addTiles } from './moves.js';
import { addArgument, addReductions, addSoftmax } from './reductions.js';
import { addResizing } from './resizing.js';
import { type Add, addConstant, addView, type Lowering } from './rule.js';

/**
 * The same graph in operations that the kernels have: an operand that no group can read in place is spread over its
 * reader's shape first, a reduction over separate axes becomes one after the other, a softmax operations on rows, and
 * resizing a product along each axis. Nodes are numbered anew.
 */
export function lower(graph: Graph): Graph {
  const lowered = new Map<Node, Node>();
  const nodes: Node[] = [];
  const first = Math.max(-1, ...graph.inputs.map(({ node }) => node.id), ...graph.nodes.flatMap(leavesOf)) + 1;
  let id = first;
  const add: Add = (node) => {
    const numbered = { ...node, id: id++ };
    if (node.op !== 'Constant') nodes.push(numbered);
    return numbered;
  };
  const now = (node: Node): Node => lowered.get(node) ?? node;
  for (const node of graph.nodes) lowered.set(node, ruleOf(node)({ ...node, inputs: node.inputs.map(now) }, add));
  return {
    inputs: graph.inputs,
    outputs: graph.outputs.map((output): GraphOutput => ({ ...output, node: now(output.node) })),
    nodes,
  };
}

const rules: Partial<Record<Node['op'], Lowering>> = {
  ...{ Sum: addReductions, Mean: addReductions, Max: addReductions, Min: addReductions, Prod: addReductions },
  ...{ ArgMax: addArgument, ArgMin: addArgument, Softmax: addSoftmax, LogSoftmax: addSoftmax },
  ...{ MatMul: addProduct, MirrorPad: addMirrors, Tile: addTiles, OneHot: addOneHot, ResizeBilinear: addResizing },
  ResizeNearest: (node, add) => (movesOf(node).length === 0 ? addResizing(node, add) : add(node)),
};

function ruleOf(node: Node): Lowering {
  if (node.op === 'Cast' && node.dtype === 'bool') return addTruth;
  return isElementwise(node) ? addSpread : (rules[node.op] ?? ((same, add) => add(same)));
}

const leavesOf = (node: Node): number[] => node.inputs.filter(({ op }) => op === 'Input' || op === 'Constant').map(({ id }) => id); // prettier-ignore

/** An element-wise node whose inputs its group can read. */
function addSpread(node: Node, add: Add): Node {
  const columns = node.shape.at(-1) ?? 1;
  const view = { rows: sizeOf(node.shape) / columns, columns };
  const inputs = node.inputs.map((input) =>
    broadcastOf(input, input.shape, node.shape, view) ? input : addCopies(input, node.shape, add),
  );
  return add({ ...node, inputs });
}

/** A tensor repeated along the axes that it lacks. */
function addCopies(node: Node, shape: readonly number[], add: Add): Node {
  const aligned = [...new Array<number>(shape.length - node.shape.length).fill(1), ...node.shape];
  const viewed = addView(node, aligned, add);
  return addTiles({ ...viewed, op: 'Tile', inputs: [viewed], attrs: { reps: shape.map((n, axis) => n / aligned[axis]!) }, shape }, add); // prettier-ignore
}

/** Where matrices repeat along too many leading axes they are copied first: then those axes are one. */
function addProduct(node: Node, add: Add): Node {
  if (productsOf(node, () => true)) return add(node);
  const lead = node.shape.slice(0, -2);
  return add({ ...node, inputs: node.inputs.map((x) => addCopies(x, [...lead, ...x.shape.slice(-2)], add)) });
}

/** Whether a number is another one than 0. */
function addTruth(node: Node, add: Add): Node {
  const [x] = node.inputs as [Node];
  if (x.dtype === 'bool') return addView(x, node.shape, add);
  return add({ ...node, op: 'NotEqual', inputs: [x, addConstant(x, 0, [], add)], attrs: {} });
}
