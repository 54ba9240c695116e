import type { Graph, Node } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';
import { sameShape } from '../../network/ir.js';
import { leadRank, registers } from './layout.js';
import { movingOps } from './moves.js';
import { productsOf, type ReadProducts, stridesThrough } from './products.js';
import { isElementwise, readsInside, roleIn, sumsRows, viewOf } from './roles.js';

/**
 * A graph cut into what the kernels run: heavy operations with what is fused into them, and groups of element-wise
 * operations over one view. In the order of execution.
 */
export type Unit =
  | {
      readonly kind: 'gemm';
      readonly node: Node;
      readonly result: Node;
      readonly bias?: Node;
      readonly relu: boolean;
      readonly products: ReadProducts;
    }
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
  | { readonly kind: 'reduce' | 'cumulativeSum' | 'move' | 'gather' | 'segmentSum'; readonly node: Node }
  | Group;

/** Element-wise nodes, reductions of their rows and sums over them (see roles.ts). */
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

/** At most this many nodes in a group: each may need a register, and two for each of three loads: as read, and spread. */
const groupLimit = Math.floor(registers / 7);

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
  /**
   * What nodes read instead of their inputs: Step(x) where there is relu(x) reads that, which is positive in the same places, so
   * that x need not be kept; a product reads what was transposed or sliced for it.
   */
  readonly replaced: Map<Node, readonly Node[]>;
}

function fuse(graph: Graph, { by, outputs }: Uses): Fusions {
  const inside = new Set<Node>();
  const units = new Map<Node, Unit>();
  const replaced = new Map<Node, readonly Node[]>();
  const users = (node: Node) => by.get(node) ?? [];
  const hidden = (node: Node) => !outputs.has(node);

  for (const node of graph.nodes) {
    const activation = node.op === 'Step' && users(root(node.inputs[0]!)).find(({ op }) => op === 'Relu');
    if (activation && activation.id < node.id) replaced.set(node, [activation]);
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

  /** Views of another shape are what the strides of a result are made for. */
  const canBeTransposed = (result: Node, transpose: Node): boolean =>
    hidden(result) && users(result).every((user) => user === transpose);

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
    if (activation && canFuse(result, activation, (user) => replaced.get(user)?.[0] === activation)) {
      inside.add(result);
      [result, relu] = [activation, true];
    }
    const pool = users(result).find(({ op }) => op === 'MaxPool');
    const gradientOfPool = (user: Node) => user.op === 'MaxPoolGrad' && root(user.inputs[2]!) === pool && root(user.inputs[0]!) !== result; // prettier-ignore
    const common = { node, relu, ...(bias ? { bias } : {}) };
    if (node.op === 'Conv2D' && !relu && pool && unpadded(pool) && canFuse(result, pool, gradientOfPool)) {
      inside.add(result);
      units.set(pool, { kind: 'convolution', ...common, result: pool, pool });
    } else if (node.op === 'Conv2D') units.set(result, { kind: 'convolution', ...common, result });
    else {
      const [turned] = users(result);
      const strides = turned?.op === 'Transpose' && canBeTransposed(result, turned) ? stridesThrough(result, turned) : undefined; // prettier-ignore
      const through = strides && productsOf(node, strides);
      if (through) inside.add(result);
      const products = through ?? productsOf(node);
      if (!products) throw new Unsupported(node, `: more than ${leadRank} leading axes`);
      replaced.set(node, [root(products.a.base), root(products.b.base)]);
      units.set(through ? turned! : result, { kind: 'gemm', ...common, result: through ? turned! : result, products });
    }
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
  Sum: 'reduce',
  Mean: 'reduce',
  Max: 'reduce',
  Prod: 'reduce',
  Cumsum: 'cumulativeSum',
  DepthwiseConv2D: 'depthwise',
  DepthwiseConv2DBackpropInput: 'depthwiseInputGradient',
  DepthwiseConv2DBackpropFilter: 'depthwiseFilterGradient',
  Gather: 'gather',
  SegmentSum: 'segmentSum',
  ...Object.fromEntries(movingOps.map((op) => [op, 'move' as const])),
};

const movesNumbers = ({ op }: Node): boolean => (movingOps as readonly string[]).includes(op);

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
  const inputsOf: InputsOf = (node) => replaced.get(node) ?? node.inputs.map(root);
  // Backwards: schedule[0] runs last.
  const schedule: Unit[] = [];
  const place = new Map<Node, number>();
  const users = new Map<Node, Node[]>();
  // From the end: a transpose that nobody reads any more reads nothing either.
  const read = (node: Node) => users.has(node) || uses.outputs.has(node) || inside.has(node);
  for (const node of [...graph.nodes].reverse()) {
    if (root(node) !== node || (movesNumbers(node) && !read(node))) continue;
    for (const input of inputsOf(node)) users.set(input, [node, ...(users.get(input) ?? [])]);
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
    if (inside.has(node) || (movesNumbers(node) && !read(node))) continue;
    const view = viewOf(node);
    if (!view) {
      const kind = simpleUnits[node.op];
      if (!kind) throw new Unsupported(node);
      put({ kind, node } as Unit, [node]);
      continue;
    }
    const inputs = inputsOf(node);
    const readers = users.get(node) ?? [];
    const groups = new Set(readers.map((user) => schedule[place.get(user) ?? -1]));
    const roomy = (unit: Unit | undefined): unit is Group => {
      if (unit?.kind !== 'group' || unit.nodes.length >= groupLimit) return false;
      const role = roleIn(node, inputs, unit);
      // Operations on one number a row are there for what reads them.
      return role === 'row' ? groups.has(unit) : role !== undefined;
    };
    const whole = (unit: Unit | undefined) => roomy(unit) && roleIn(node, inputs, unit) === 'element';
    if (groups.size > 1 && !uses.outputs.has(node) && isRepeatable(node, inputs) && [...groups].every(whole)) {
      for (const group of groups) (group as Group).nodes.unshift(node);
      place.set(node, Math.max(...readers.map((user) => place.get(user)!)));
      continue;
    }
    let earliest = 0;
    for (const user of readers) {
      const at = place.get(user);
      if (at === undefined) continue;
      const group = schedule[at]!;
      const role = group.kind === 'group' ? roleIn(node, inputs, group) : undefined;
      const joins = role && group.kind === 'group' && readsInside(user, inputsOf(user), node, role, group);
      earliest = Math.max(earliest, joins ? at : at + 1);
    }
    const at = schedule.findIndex((candidate, i) => i >= earliest && roomy(candidate));
    if (at < 0) put({ kind: 'group', ...view, nodes: [node] }, [node]);
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
