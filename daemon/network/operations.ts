import { sizeOf } from '../protocol/shape.js';
import type { GraphBuilder } from './builder.js';
import { type BinaryOp, broadcastShape, type DType, type Node, type Op, sameShape, type UnaryOp } from './ir.js';
import { Misfit } from './misfit.js';

const comparisons: ReadonlySet<Op> = new Set<Op>(['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual']);

export type Reduction = 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod';

/** Operations by their operands; shapes and types follow from these. Numbers among the operands are float32 scalars. */
export class Operations {
  constructor(readonly graph: GraphBuilder) {}

  scalar(value: number): Node {
    return this.graph.constant(value, []);
  }

  /** A tensor with one number everywhere. */
  fill(value: number, shape: readonly number[]): Node {
    return this.graph.constant(value, shape);
  }

  unary(op: Exclude<UnaryOp, 'IsNan'>, x: Node): Node {
    return this.graph.add({ op, inputs: [x], shape: x.shape });
  }

  /** x > 0 ? 1 : alpha. */
  step(x: Node, alpha = 0): Node {
    return this.graph.add({ op: 'Step', inputs: [x], attrs: { alpha }, shape: x.shape });
  }

  /** An element-wise operation of two operands, broadcast. @throws Misfit if their shapes do not match. */
  binary(op: BinaryOp, a: Node, b: Node | number): Node {
    const other = typeof b === 'number' ? this.scalar(b) : b;
    const shape = broadcastShape(a.shape, other.shape);
    return this.graph.add({ op, inputs: [a, other], shape, dtype: comparisons.has(op) ? 'bool' : a.dtype });
  }

  add = (a: Node, b: Node | number): Node => this.binary('Add', a, b);
  sub = (a: Node, b: Node | number): Node => this.binary('Sub', a, b);
  mul = (a: Node, b: Node | number): Node => this.binary('Multiply', a, b);
  div = (a: Node, b: Node | number): Node => this.binary('RealDiv', a, b);
  neg = (x: Node): Node => this.unary('Neg', x);

  cast(x: Node, dtype: DType): Node {
    return this.graph.add({ op: 'Cast', inputs: [x], shape: x.shape, dtype });
  }

  /** condition ? yes : no, broadcast. */
  select(condition: Node, yes: Node, no: Node): Node {
    const shape = broadcastShape(condition.shape, broadcastShape(yes.shape, no.shape));
    return this.graph.add({ op: 'Select', inputs: [condition, yes, no], shape, dtype: yes.dtype });
  }

  reshape(x: Node, shape: readonly number[]): Node {
    return this.graph.add({ op: 'Reshape', inputs: [x], shape });
  }

  transpose(x: Node, perm: readonly number[]): Node {
    return this.graph.add({ op: 'Transpose', inputs: [x], attrs: { perm }, shape: perm.map((axis) => x.shape[axis]!) });
  }

  slice(x: Node, begin: readonly number[], shape: readonly number[]): Node {
    return this.graph.add({ op: 'Slice', inputs: [x], attrs: { begin }, shape });
  }

  pad(x: Node, before: readonly number[], after: readonly number[], value = 0): Node {
    const shape = x.shape.map((n, axis) => before[axis]! + n + after[axis]!);
    return this.graph.add({ op: 'Pad', inputs: [x], attrs: { before, after, value }, shape });
  }

  /** Every stride-th element along one axis, `count` of them from `begin` on. @param axis counts the batch. */
  every(x: Node, axis: number, begin: number, count: number, stride: number): Node {
    const end = begin + (count - 1) * stride + 1;
    const attrs = {
      begin: x.shape.map((_, i) => (i === axis ? begin : 0)),
      end: x.shape.map((n, i) => (i === axis ? end : n)),
      strides: x.shape.map((_, i) => (i === axis ? stride : 1)),
    };
    return this.graph.add({ op: 'StridedSlice', inputs: [x], attrs, shape: x.shape.with(axis, count) });
  }

  /** @param inputs at least one; alike but for the axis. */
  concat(inputs: readonly Node[], axis: number): Node {
    if (inputs.length === 1) return inputs[0]!;
    const shape = inputs[0]!.shape.with(axis, inputs.reduce((sum, input) => sum + input.shape[axis]!, 0)); // prettier-ignore
    return this.graph.add({ op: 'Concat', inputs, attrs: { axis }, shape });
  }

  clip(x: Node, min: number, max: number): Node {
    return this.graph.add({ op: 'ClipByValue', inputs: [x], attrs: { min, max }, shape: x.shape });
  }

  reverse(x: Node, axes: readonly number[]): Node {
    return this.graph.add({ op: 'Reverse', inputs: [x], attrs: { axes }, shape: x.shape });
  }

  reduce(op: Reduction, x: Node, axes: readonly number[], keepDims = false): Node {
    const shape = x.shape.flatMap((n, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [n]));
    return this.graph.add({ op, inputs: [x], attrs: { axes, keepDims }, shape });
  }

  /** Undoes a broadcast: x, which has the shape that was broadcast to, is summed along the repeated axes. */
  sumTo(x: Node, shape: readonly number[]): Node {
    if (sameShape(x.shape, shape)) return x;
    const lead = x.shape.length - shape.length;
    const axes = x.shape.flatMap((n, axis) => (axis < lead || (n !== 1 && shape[axis - lead] === 1) ? [axis] : []));
    return this.reshape(axes.length === 0 ? x : this.reduce('Sum', x, axes), shape);
  }

  /** Repeats x, whose shape broadcasts to the given one, everywhere in it. `simplify` knows this form (products.ts, `spreadOf`). */
  spread(x: Node, shape: readonly number[]): Node {
    return this.mul(x, this.fill(1, shape));
  }

  /**
   * [..., M, K] x [..., K, N], leading axes broadcast; transposing a factor swaps its last two axes. If the right factor is one matrix,
   * the rows of all left matrices become the rows of one.
   * @throws Misfit if the leading axes do not broadcast, or the factors do not fit
   */
  matMul(a: Node, b: Node, transposeA = false, transposeB = false): Node {
    const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
    const [inner, same] = [a.shape.at(transposeA ? -2 : -1)!, b.shape.at(transposeB ? -1 : -2)!];
    if (inner !== same) throw new Misfit(`rows of ${inner} numbers do not fit to columns of ${same}`);
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const attrs = { transposeA, transposeB };
    const shape = [...batch, rows, columns];
    const isOne = sizeOf(b.shape.slice(0, -2)) === 1 && (!transposeA || sizeOf(batch) === 1);
    if (!isOne || (a.shape.length === 2 && b.shape.length === 2))
      return this.graph.add({ op: 'MatMul', inputs: [a, b], attrs, shape });
    const flat = this.reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1)!]);
    const one = this.reshape(b, b.shape.slice(-2));
    const size = sizeOf(batch) * rows;
    const y = this.graph.add({ op: 'MatMul', inputs: [flat, one], attrs, shape: [size, columns] });
    return this.reshape(y, shape);
  }
}
