import type { Graph, Node } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';
import { sameShape } from '../../network/ir.js';
import { registers, step } from './layout.js';
import { movingOps } from './moves.js';

/**
 * A graph cut into what the kernels run: heavy operations with what is fused into them, and groups of element-wise
 * operations over one view. In the order of execution.
 */
export type Unit =
  | { readonly kind: 'gemm'; readonly node: Node; readonly result: Node; readonly bias?: Node; readonly relu: boolean }
  | {
      readonly kind: 'convolution';
      readonly node: Node;
      readonly result: Node;
      readonly bias?: Node;
      readonly relu: boolean;
      /** The pooling fused into it: only pooled values are kept, and where they came from. */
      readonly pool?: Node;
    }
  | { readonly kind: 'inputGradient'; readonly node: Node }
  | {
      readonly kind: 'filterGradient';
      readonly node: Node;
      /** Sum of dy by channel. */
      readonly bias?: Node;
      /** The pooling gradient that dy is, computed on the way. */
      readonly pool?: Node;
    }
  | { readonly kind: 'maxPool' | 'maxPoolGradient' | 'averagePool' | 'averagePoolGradient'; readonly node: Node }
  | {
      readonly kind: 'depthwise' | 'depthwiseInputGradient' | 'depthwiseFilterGradient';
      readonly node: Node;
    }
  | { readonly kind: 'softmax' | 'reduce' | 'move' | 'gather' | 'segmentSum'; readonly node: Node }
  | Group;

/** Element-wise nodes and sums over their rows. */
export interface Group {
  readonly kind: 'group';
  readonly rows: number;
  readonly columns: number;
  /** In topological order. */
  readonly nodes: Node[];
}

/** The graph has something no kernel computes; the message names it. */
export class Unsupported extends Error {
  constructor(node: Node, why = '') {
    const layer = node.layer ? ` (layer "${node.layer}")` : '';
    super(
      `no native kernel for ${node.op} of [${node.inputs.map(({ shape }) => shape.join(',')).join('] [')}]${layer}${why}`,
    );
  }
}

/** Reshapes and casts of numbers are the tensor under another name. */
export function root(node: Node): Node {
  const alias = node.op === 'Reshape' || (node.op === 'Cast' && node.dtype === 'float32');
  return alias ? root(node.inputs[0]!) : node;
}

const lastDim = (node: Node): number => node.shape.at(-1) ?? 1;
export const isElementwise = (node: Node): boolean =>
  node.op in step && /^[A-Z]/.test(node.op) && !(node.op === 'Cast' && node.dtype === 'bool');

/** Sums over all axes but the last: [rows, columns] to [columns]. */
export function sumsRows(node: Node): boolean {
  if (node.op !== 'Sum' && node.op !== 'Mean') return false;
  const { shape } = node.inputs[0]!;
  const axes = node.attrs['axes'] as readonly number[];
  return shape.length > 1 && shape.every((n, axis) => n === 1 || axes.includes(axis) === axis < shape.length - 1) && !axes.includes(shape.length - 1); // prettier-ignore
}

/** At most this many nodes in a group: each may need a register in the cache, and one for each of three loads. */
const groupLimit = registers / 4;

interface Uses {
  readonly by: ReadonlyMap<Node, readonly Node[]>;
  readonly outputs: ReadonlySet<Node>;
}

/** Nodes that read each tensor, aliases seen through. */
function usesOf(graph: Graph): Uses {
  const by = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    if (root(node) !== node) continue;
    for (const input of new Set(node.inputs.map(root))) {
      const users = by.get(input);
      if (users) users.push(node);
      else by.set(input, [node]);
    }
  }
  return { by, outputs: new Set(graph.outputs.map(({ node }) => root(node))) };
}

/** What is computed inside another node's unit, and units by the node that ends them. */
interface Fusions {
  readonly inside: Set<Node>;
  readonly units: Map<Node, Unit>;
  /** Step(x) where there is relu(x): reads that, which is positive in the same places, so that x need not be kept. */
  readonly replaced: Map<Node, Node>;
}

function fuse(graph: Graph, { by, outputs }: Uses): Fusions {
  const inside = new Set<Node>();
  const units = new Map<Node, Unit>();
  const replaced = new Map<Node, Node>();
  const users = (node: Node) => by.get(node) ?? [];
  const hidden = (node: Node) => !outputs.has(node);

  for (const node of graph.nodes) {
    const activation = node.op === 'Step' && users(root(node.inputs[0]!)).find(({ op }) => op === 'Relu');
    if (activation && activation.id < node.id) replaced.set(node, activation);
  }

  /**
   * Whether a producer's result may stay inside the unit of its consumer: nobody else reads it, and the consumer reads it
   * as it is. A view of another shape has the same numbers, but other rows, columns and pixels.
   *
   * @param others readers that are content with what the unit keeps.
   */
  const canFuse = (producer: Node, consumer: Node, others: (user: Node) => boolean = () => false): boolean =>
    hidden(producer) &&
    users(producer).every((user) => user === consumer || others(user)) &&
    consumer.inputs.every((input) => root(input) !== producer || sameShape(input.shape, producer.shape));

  for (const node of graph.nodes) {
    if (node.op !== 'MatMul' && node.op !== 'Conv2D') continue;
    let result = node;
    let bias: Node | undefined;
    let relu = false;
    const [add] = users(node);
    const added = add?.op === 'Add' && canFuse(node, add) ? biasOf(add, node) : undefined;
    if (added) {
      [result, bias] = [add!, added];
      inside.add(node);
    }
    const activation = users(result).find(({ op }) => op === 'Relu');
    if (activation && canFuse(result, activation, (user) => replaced.get(user) === activation)) {
      inside.add(result);
      [result, relu] = [activation, true];
    }
    const pool = users(result).find(({ op }) => op === 'MaxPool');
    const gradientOfPool = (user: Node) => user.op === 'MaxPoolGrad' && root(user.inputs[2]!) === pool && root(user.inputs[0]!) !== result; // prettier-ignore
    const common = { node, relu, ...(bias ? { bias } : {}) };
    if (node.op === 'Conv2D' && !relu && pool && unpadded(pool) && canFuse(result, pool, gradientOfPool)) {
      inside.add(result);
      units.set(pool, { kind: 'convolution', ...common, result: pool, pool });
    } else units.set(result, { kind: node.op === 'MatMul' ? 'gemm' : 'convolution', ...common, result });
  }

  for (const node of graph.nodes) {
    if (node.op !== 'Conv2DBackpropFilter') continue;
    const dy = root(node.inputs[1]!);
    const bias = users(dy).find(
      (user) => user.op === 'Sum' && sumsRows(user) && sameShape(user.inputs[0]!.shape, dy.shape) && users(user).length === 0,
    ); // prettier-ignore
    const pooled = dy.op === 'MaxPoolGrad' && unpadded(dy) && canFuse(dy, node, (user) => user === bias);
    const anchor = bias && bias.id > node.id ? bias : node;
    if (pooled) inside.add(dy);
    if (bias) inside.add(anchor === bias ? node : bias);
    units.set(anchor, {
      kind: 'filterGradient',
      node,
      ...(bias ? { bias } : {}),
      ...(pooled ? { pool: dy } : {}),
    });
  }
  return { inside, units, replaced };
}

/** The weights that an addition adds to every row of a product, if that is all it does. */
function biasOf(add: Node, product: Node): Node | undefined {
  const [first, second] = add.inputs as [Node, Node];
  const other = root(first) === product ? second : first;
  const isRow = other.shape.at(-1) === lastDim(product) && sizeOf(other.shape) === lastDim(product);
  return isRow && root(other).op === 'Input' && sameShape(add.shape, product.shape) ? root(other) : undefined;
}

const unpadded = (node: Node): boolean => (node.attrs['pads'] as readonly number[]).every((n) => n === 0);

const simpleUnits: Partial<Record<Node['op'], Exclude<Unit['kind'], 'group'>>> = {
  Conv2DBackpropInput: 'inputGradient',
  MaxPool: 'maxPool',
  MaxPoolGrad: 'maxPoolGradient',
  AvgPool: 'averagePool',
  AvgPoolGrad: 'averagePoolGradient',
  Softmax: 'softmax',
  LogSoftmax: 'softmax',
  Sum: 'reduce',
  Mean: 'reduce',
  Max: 'reduce',
  DepthwiseConv2D: 'depthwise',
  DepthwiseConv2DBackpropInput: 'depthwiseInputGradient',
  DepthwiseConv2DBackpropFilter: 'depthwiseFilterGradient',
  Gather: 'gather',
  SegmentSum: 'segmentSum',
  ...Object.fromEntries(movingOps.map((op) => [op, 'move' as const])),
};

/** The inputs a node reads, after fusions. */
export type InputsOf = (node: Node) => readonly Node[];

/**
 * Sums, differences and products of a tensor that is kept for other reasons with something small: computed again by every
 * group that reads them, at the price of reading what they would be stored beside.
 */
function isRepeatable(node: Node, inputs: readonly Node[]): boolean {
  const size = sizeOf(node.shape);
  const large = inputs.filter((input) => sizeOf(input.shape) === size);
  const kept = large.length === 1 && !isElementwise(large[0]!) && !sumsRows(large[0]!) && large[0]!.op !== 'Constant';
  return kept && ['Add', 'Sub', 'Multiply'].includes(node.op) && inputs.every(({ shape }) => sizeOf(shape) === size || sizeOf(shape) <= lastDim(node)); // prettier-ignore
}

/**
 * Cuts a graph into units. Element-wise nodes go as late as they can, to where they are read first: what only a backward
 * chain needs is computed in it, and never stored. Some are in several groups.
 *
 * @throws Unsupported
 */
export function cutIntoUnits(graph: Graph): { units: Unit[]; inputsOf: InputsOf } {
  const uses = usesOf(graph);
  const { inside, units, replaced } = fuse(graph, uses);
  const inputsOf: InputsOf = (node) => (replaced.has(node) ? [replaced.get(node)!] : node.inputs.map(root));
  // Backwards: schedule[0] runs last.
  const schedule: Unit[] = [];
  const place = new Map<Node, number>();
  const users = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    if (root(node) !== node) continue;
    for (const input of inputsOf(node)) users.set(input, [...(users.get(input) ?? []), node]);
  }
  const put = (unit: Unit, nodes: readonly Node[]) => {
    schedule.push(unit);
    for (const node of nodes) place.set(node, schedule.length - 1);
  };

  for (const node of [...graph.nodes].reverse()) {
    if (root(node) !== node) continue;
    const unit = units.get(node);
    if (unit) {
      put(unit, membersOf(unit));
      continue;
    }
    if (inside.has(node)) continue;
    const summing = sumsRows(node);
    if (!isElementwise(node) && !summing) {
      const kind = simpleUnits[node.op];
      if (!kind || node.dtype === 'int32') throw new Unsupported(node);
      put({ kind, node } as Unit, [node]);
      continue;
    }
    const shaped = summing ? inputsOf(node)[0]! : node;
    const columns = summing ? lastDim(node.inputs[0]!) : lastDim(node);
    const rows = sizeOf(shaped.shape) / columns;
    const sameView = (unit: Unit | undefined): unit is Group =>
      unit?.kind === 'group' && unit.rows === rows && unit.columns === columns;
    const readers = users.get(node) ?? [];
    const groups = new Set(readers.map((user) => schedule[place.get(user) ?? -1]));
    const roomy = (group: Unit | undefined) => sameView(group) && group.nodes.length < groupLimit;
    if (groups.size > 1 && !uses.outputs.has(node) && isRepeatable(node, inputsOf(node)) && [...groups].every(roomy)) {
      for (const group of groups) (group as Group).nodes.unshift(node);
      place.set(node, Math.max(...readers.map((user) => place.get(user)!)));
      continue;
    }
    let earliest = 0;
    for (const user of readers) {
      const at = place.get(user);
      if (at === undefined) continue;
      const group = schedule[at]!;
      const joins = !summing && sameView(group);
      earliest = Math.max(earliest, joins ? at : at + 1);
    }
    const at = schedule.findIndex((candidate, i) => i >= earliest && roomy(candidate));
    if (at < 0) put({ kind: 'group', rows, columns, nodes: [node] }, [node]);
    else {
      (schedule[at] as Group).nodes.unshift(node);
      place.set(node, at);
    }
  }
  return { units: schedule.reverse(), inputsOf };
}

/** Nodes whose readers must run after the unit. */
function membersOf(unit: Unit): Node[] {
  if (unit.kind === 'group') return unit.nodes;
  const nodes = [unit.node];
  if ('result' in unit) nodes.push(unit.result);
  if ('bias' in unit && unit.bias && unit.kind === 'filterGradient') nodes.push(unit.bias);
  if ('pool' in unit && unit.pool && unit.kind === 'filterGradient') nodes.push(unit.pool);
  return nodes;
}
