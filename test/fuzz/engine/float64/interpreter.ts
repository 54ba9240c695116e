/**
 * A graph of daemon/network/ir.ts in float64: every operation as plain loops, written from the comment on `Op`, with no
 * line shared with an executor. Only what is asked for is computed, and once.
 */
import type { Graph, Node, Op } from '../../../../daemon/network/ir.js';
import { createRandom, type Random } from '../../../../daemon/lc/random.js';
import { elementwise } from './elementwise.js';
import { moves } from './moves.js';
import { pooling } from './pooling.js';
import { products } from './products.js';
import { reductions } from './reductions.js';
import { type Compute, sizeOf, type Values } from './tensors.js';

const rules: Readonly<Record<string, Compute>> = { ...elementwise, ...products, ...pooling, ...reductions, ...moves };

/** Operations whose float32 result is exact wherever their operands are: they only choose, compare or move. */
const exact: ReadonlySet<Op> = new Set<Op>([
  'Abs', 'Ceil', 'Floor', 'IsNan', 'LogicalNot', 'Neg', 'Relu', 'Relu6', 'Round', 'Sign', 'Equal', 'Greater', 'GreaterEqual',
  'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'LogicalXor', 'Maximum', 'Minimum', 'NotEqual', 'ClipByValue', 'Step', 'Cast',
  'Select', 'Max', 'Min', 'ArgMax', 'ArgMin', 'Reshape', 'Transpose', 'Slice', 'StridedSlice', 'Concat', 'Pad', 'MirrorPad', 'Tile',
  'Reverse', 'Gather', 'OneHot', 'MaxPool', 'ResizeNearest',
]); // prettier-ignore

/** Operations that sum: in float32 they are off by a share of the sum of the magnitudes, whatever cancels out. */
const sums: ReadonlySet<Op> = new Set<Op>([
  'MatMul', 'Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter', 'DepthwiseConv2D', 'DepthwiseConv2DBackpropInput',
  'DepthwiseConv2DBackpropFilter', 'Sum', 'Mean', 'AvgPool', 'AvgPoolGrad', 'SegmentSum', 'Cumsum', 'ResizeBilinear',
]); // prettier-ignore

/** The relative rounding that a value may have in float32: a few units in the last place. */
const rounding = 4 * 2 ** -24;

/** onnxruntime's sigmoid (MlasComputeLogistic) is right to 2e-8, not to a share of itself: far left it may be 0. */
const sigmoidRounding = 2e-8;

/** The error of a sum of n terms, added one after the other, grows with n; executors add in many orders. */
function roundingOf(node: Node): number {
  if (!sums.has(node.op)) return rounding;
  const [a, b] = node.inputs;
  const size = sizeOf(node.shape);
  // A filter's size over its outputs; of a filter's gradient, the pixels of dy.
  const product = node.op === 'MatMul' || node.op.includes('Conv2D');
  const terms = product ? sizeOf(b!.shape) / b!.shape.at(-1)! : sizeOf(a!.shape) / size;
  return rounding * (1 + terms / 32);
}

/** Values too small for a normal float32 become 0, values too large become infinite. */
const inRange = (v: number): number => (Math.abs(v) < 2 ** -126 ? 0 : Math.abs(v) > 3.4028235e38 ? v * Infinity : v);

export class Interpreter {
  readonly #values = new Map<Node, Values>();
  readonly #noise: Random | undefined;

  /**
   * @param feeds the values of every input that is read.
   * @param noise a seed: every result that float32 rounds is off by a random rounding of that size, and out of range where a
   *   float32 is (stochastic arithmetic,
   *   Vignes 2004). What several such runs differ in is what rounding may do to the graph's outputs.
   */
  constructor(
    private readonly graph: Graph,
    feeds: ReadonlyMap<Node, ArrayLike<number>>,
    noise?: number,
  ) {
    for (const [node, values] of feeds) this.#values.set(node, Float64Array.from(values));
    this.#noise = noise === undefined ? undefined : createRandom(noise);
  }

  /** @throws RangeError naming an operation without a rule, or an input without values. */
  value(node: Node): Values {
    const known = this.#values.get(node);
    if (known) return known;
    const needed = new Set<Node>();
    const stack = [node];
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (this.#values.has(next) || needed.has(next)) continue;
      needed.add(next);
      stack.push(...next.inputs);
    }
    for (const next of [...needed].sort((a, b) => a.id - b.id)) this.#values.set(next, this.#compute(next));
    return this.#values.get(node)!;
  }

  #compute(node: Node): Values {
    if (node.op === 'Constant') return constantOf(node);
    const rule = rules[node.op];
    if (!rule) throw new RangeError(`${node.op} has no rule in float64, or an input has no values`);
    const inputs = node.inputs.map((input) => this.#values.get(input)!);
    const result = rule(node, inputs);
    if (result.length !== sizeOf(node.shape)) throw new RangeError(`${node.op} gave ${result.length} values for [${node.shape}]`); // prettier-ignore
    const noise = this.#noise;
    if (!noise || node.dtype !== 'float32' || exact.has(node.op)) return result;
    // Of indices (SegmentSum's ids) the magnitudes are themselves.
    const sizes = sums.has(node.op) ? rule(node, inputs.map((values) => values.map(Math.abs))) : result; // prettier-ignore
    const relative = roundingOf(node);
    const random = () => 2 * noise.next() - 1;
    if (node.op === 'Sigmoid')
      return result.map((v) => Math.max(0, v * (1 + relative * random()) + sigmoidRounding * random()));
    return result.map((v, i) => inRange(v + Math.abs(sizes[i]!) * relative * random()));
  }

  /** The same graph with other values of one input; what does not depend on it is not computed again. */
  with(input: Node, values: Values): Interpreter {
    const dependent = new Set<Node>([input]);
    for (const node of this.graph.nodes) if (node.inputs.some((other) => dependent.has(other))) dependent.add(node);
    const changed = new Interpreter(this.graph, new Map());
    for (const [node, known] of this.#values) if (!dependent.has(node)) changed.#values.set(node, known);
    changed.#values.set(input, values);
    return changed;
  }
}

function constantOf({ constant, shape }: Node): Values {
  return typeof constant === 'number'
    ? new Float64Array(sizeOf(shape)).fill(constant)
    : Float64Array.from(constant as Float32Array);
}
