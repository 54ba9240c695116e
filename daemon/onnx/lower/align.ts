import { broadcastShape, inverse, type Node } from '../../network/ir.js';
import { ones } from '../../network/products.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Call } from './call.js';
import type { Lowering } from './lowering.js';
import { broadcastTo, numbers, reshaped, splatOf } from './values/numberTensor.js';
import { dimsOf, isNatural, naturalAxes, type Value } from './values/value.js';

/** Operands of an element-wise operation in one order of axes. */
export interface Aligned {
  readonly nodes: readonly Node[];
  /** Axis j of the nodes is axis order[j] of the result. */
  readonly order: readonly number[];
  /** The broadcast shape of the nodes. */
  readonly shape: readonly number[];
}

/**
 * Brings operands into one order of axes: that of the largest computed operand. Among equals it is the first one whose order is not
 * ONNX's, so that values between convolutions stay where they are.
 * @throws Misfit if the operands do not broadcast
 */
export function aligned(lowering: Lowering, values: readonly Value[]): Aligned {
  const dims = values.map(dimsOf).reduce(broadcastShape);
  const order = orderFor(values, dims.length);
  const nodes = values.map((value) => operand(lowering, value, order));
  return { nodes, order, shape: order.map((axis) => dims[axis]!) };
}

/** The order of axes in which values of a rank are best computed together. */
export function orderFor(values: readonly Value[], rank: number): readonly number[] {
  let best: { axes: readonly number[]; size: number } | undefined;
  for (const value of values) {
    if (value.kind !== 'node' || value.axes.length !== rank) continue;
    const size = sizeOf(value.node.shape);
    if (!best || size > best.size || (size === best.size && isNatural(best.axes))) best = { axes: value.axes, size };
  }
  return best ? inverse(best.axes) : naturalAxes(rank);
}

/** Reshapes an operand so that it broadcasts to a result whose axes have the given order. */
export function operand(lowering: Lowering, value: Value, order: readonly number[]): Node {
  const dims = dimsOf(value);
  if (value.kind === 'numbers') {
    const splat = splatOf(value);
    // A single number broadcasts whatever its shape, which may still set the rank of the result.
    if (splat !== undefined && dims.every((n) => n === 1) && dims.length < order.length)
      return lowering.constant({ ...value, dims: [] });
  }
  if (dims.length === order.length) return lowering.inOrder(value, order);
  if (isNatural(order)) return lowering.natural(value);
  const whole = [...ones(order.length - dims.length), ...dims];
  if (value.kind === 'numbers') return lowering.inOrder(reshaped(value, whole), order);
  return lowering.transpose(lowering.reshape(lowering.natural(value), whole), order);
}

/**
 * Inputs of an operation that needs equal sizes along all axes but some. A file without an open batch axis has constants, and
 * values computed from them, for the batch of its export: their first sample is repeated for the batch of the pass.
 *
 * @param free the axis that may differ; if undefined, none may, and sizes of 1 broadcast
 */
export function inBatch(call: Call, values: readonly Value[], free?: number): readonly Value[] {
  const { fileBatch, batch } = call.lowering;
  if (fileBatch === undefined || fileBatch === batch) return values;
  const shapes = values.map(dimsOf);
  const rank = Math.max(...shapes.map((dims) => dims.length));
  const at = (dims: readonly number[], axis: number) => dims[axis - rank + dims.length];
  let result = values;
  for (let axis = 0; axis < rank; axis++) {
    if (axis === free) continue;
    const sizes = shapes.map((dims) => at(dims, axis) ?? 1);
    if (!sizes.includes(batch) || !sizes.includes(fileBatch)) continue;
    if (free === undefined && sizes.every((n) => n === batch || n === 1)) continue;
    if (!sizes.every((n) => n === batch || n === fileBatch || (free === undefined && n === 1))) continue;
    result = result.map((value, i) => (sizes[i] === fileBatch ? repeated(call, value, axis - rank + shapes[i]!.length, batch) : value)); // prettier-ignore
  }
  return result;
}

/** Repeats the first entry along an axis. */
export function repeated({ lowering }: Call, value: Value, axis: number, times: number): Value {
  const dims = dimsOf(value);
  if (value.kind === 'numbers') {
    const size = sizeOf(dims.slice(axis + 1));
    const step = size * dims[axis]!;
    const first = Array.from({ length: sizeOf(dims.slice(0, axis)) }, (_, i) => [...value.data.subarray(i * step, i * step + size)]); // prettier-ignore
    const one = numbers(first.flat(), dims.with(axis, 1), value.dtype);
    return broadcastTo(one, dims.with(axis, times));
  }
  const x = lowering.natural(value);
  const begin = dims.map(() => 0);
  const one = lowering.add('Slice', [x], dims.with(axis, 1), { begin });
  const reps = dims.map((_, i) => (i === axis ? times : 1));
  const whole = lowering.add('Tile', [one], dims.with(axis, times), { reps });
  return lowering.value(whole, naturalAxes(dims.length), value.kind === 'node' ? value.origin : 'weighted');
}
