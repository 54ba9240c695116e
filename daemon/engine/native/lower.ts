import { type Graph, type GraphOutput, type Node, sameShape } from '../../network/ir.js';
import { resizeWeights } from '../../network/resizeWeights.js';
import { broadcastOf } from './broadcast.js';
import { movesOf } from './moves.js';
import { isElementwise } from './units.js';
import { sizeOf } from '../../protocol/shape.js';

/** Adds a node, or a constant, to the new graph. */
type Add = (node: Omit<Node, 'id'>) => Node;

/**
 * The same graph in operations that the kernels have: an operand that no group can read in place is spread over its
 * reader's shape first, a reduction over separate axes becomes one after the other, and resizing a product along each
 * axis. Nodes are numbered anew.
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

  for (const node of graph.nodes) {
    const inputs = node.inputs.map(now);
    lowered.set(node, ruleOf(node)({ ...node, inputs }, add));
  }
  return {
    inputs: graph.inputs,
    outputs: graph.outputs.map((output): GraphOutput => ({ ...output, node: now(output.node) })),
    nodes,
  };
}

function ruleOf(node: Node): (node: Node, add: Add) => Node {
  if (isElementwise(node)) return addSpread;
  if (reducing.has(node.op) && runsOf(node).length > 1) return addReductions;
  if (node.op === 'Min') return addMinimum;
  if (node.op === 'ResizeBilinear' || (node.op === 'ResizeNearest' && movesOf(node).length === 0)) return addResizing;
  return (same, add) => add(same);
}

const leavesOf = (node: Node): number[] => node.inputs.filter(({ op }) => op === 'Input' || op === 'Constant').map(({ id }) => id); // prettier-ignore

/** An element-wise node whose inputs its group can read. */
function addSpread(node: Node, add: Add): Node {
  const columns = node.shape.at(-1) ?? 1;
  const view = { rows: sizeOf(node.shape) / columns, columns };
  const inputs = node.inputs.map((input) => {
    if (broadcastOf(input, input.shape, node.shape, view)) return input;
    const aligned = [...new Array<number>(node.shape.length - input.shape.length).fill(1), ...input.shape];
    const viewed = addView(input, aligned, add);
    const reps = node.shape.map((n, axis) => n / aligned[axis]!);
    return add({ ...plain(input), op: 'Tile', inputs: [viewed], attrs: { reps }, shape: node.shape });
  });
  return add({ ...node, inputs });
}

const addView = (node: Node, shape: readonly number[], add: Add): Node =>
  sameShape(node.shape, shape) ? node : add({ ...plain(node), op: 'Reshape', inputs: [node], attrs: {}, shape });

const reducing: ReadonlySet<string> = new Set(['Sum', 'Mean', 'Max']);

/** Axes of a reduction that do something, in runs of neighbours: axes of one element between them join two runs. */
function runsOf(node: Node): number[][] {
  const { shape } = node.inputs[0]!;
  const axes = (node.attrs['axes'] as readonly number[]).filter((axis) => shape[axis] !== 1);
  const runs: number[][] = [];
  for (const axis of axes) {
    const run = runs.at(-1);
    if (run && shape.slice(run.at(-1)! + 1, axis).every((n) => n === 1)) run.push(axis);
    else runs.push([axis]);
  }
  return runs;
}

/** From the last run to the first, so that each one's axes keep their numbers; a mean of equal parts' means is the mean. */
function addReductions(node: Node, add: Add): Node {
  let result = node.inputs[0]!;
  for (const axes of runsOf(node).reverse()) {
    const shape = result.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    result = add({ ...node, inputs: [result], attrs: { axes, keepDims: true }, shape });
  }
  return node.attrs['keepDims'] === true ? result : add({ ...node, op: 'Reshape', inputs: [result], attrs: {} });
}

/** The least is the largest of what is turned round. */
function addMinimum(node: Node, add: Add): Node {
  const [x] = node.inputs as [Node];
  const turned = add({ ...plain(x), op: 'Neg', inputs: [x], attrs: {}, shape: x.shape });
  const maximum = { ...node, op: 'Max' as const, inputs: [turned] };
  const largest = ruleOf(maximum)(maximum, add);
  return add({ ...plain(node), op: 'Neg', inputs: [largest], attrs: {}, shape: node.shape });
}

/** Pixels of an image as products with the weights of each axis. */
function addResizing(node: Node, add: Add): Node {
  const image = node.inputs[0]!;
  const linear = node.op === 'ResizeBilinear';
  const turned = (x: Node, perm: readonly number[]) =>
    add({ ...plain(node), op: 'Transpose', inputs: [x], attrs: { perm }, shape: perm.map((axis) => x.shape[axis]!) });
  /** The last axis, resized. */
  const along = (x: Node, to: number) => {
    const from = x.shape.at(-1)!;
    const rows = sizeOf(x.shape) / from;
    const constant = resizeWeights(node.attrs, from, to, linear);
    const weights: Node = {
      ...plain(node),
      id: -1,
      op: 'Constant',
      inputs: [],
      attrs: {},
      shape: [to, from],
      constant,
    };
    const product = add({
      ...plain(node),
      op: 'MatMul',
      inputs: [addView(x, [rows, from], add), weights],
      attrs: { transposeA: false, transposeB: true },
      shape: [rows, to],
    });
    return addView(product, x.shape.with(-1, to), add);
  };
  const [, height, width] = node.shape;
  const wide = along(turned(image, [0, 1, 3, 2]), width!);
  return turned(along(turned(wide, [0, 3, 2, 1]), height!), [0, 3, 1, 2]);
}

/** What a new node has of one that it stands beside. */
const plain = ({ dtype, layer }: Node) => ({ dtype, ...(layer === undefined ? {} : { layer }) });
