import { broadcastShape, inverse, sameShape } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import { repeated } from '../align.js';
import type { Call, Operator } from '../call.js';
import { list, numbers, permuted, reshaped as reshapedNumbers, broadcastTo } from '../values/numberTensor.js';
import { dimsOf, isNatural, naturalAxes, type NodeValue, type Origin, type Value } from '../values/value.js';

/** Operators that return or change a tensor's shape without reordering its elements. */

/** A common factor of axes of two shapes: the tensor [6, 4] becomes [2, 12] by way of [2, 3, 4]. */
interface Factor {
  readonly size: number;
  /** The axis that it is a part of, before and after. */
  readonly from: number;
  readonly to: number;
}

const productsBefore = (dims: readonly number[]): number[] => dims.map((_, i) => sizeOf(dims.slice(0, i)));

/**
 * The factors that two shapes of one size share, in order; axes of length 1 have none. undefined if they share too few, so that
 * elements of one axis would be split unevenly, or if the tensor is empty.
 */
function factorsOf(from: readonly number[], to: readonly number[]): Factor[] | undefined {
  const size = sizeOf(from);
  if (size === 0) return undefined;
  const [starts, ends] = [productsBefore(from), productsBefore(to)];
  const cuts = [...new Set([...starts, ...ends, size])].sort((a, b) => a - b);
  const axisAt = (dims: readonly number[], begins: readonly number[], at: number) =>
    dims.findIndex((n, axis) => n > 1 && begins[axis]! <= at && at < begins[axis]! * n);
  const factors: Factor[] = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [at, next] = [cuts[i]!, cuts[i + 1]!];
    if (next % at !== 0) return undefined;
    factors.push({ size: next / at, from: axisAt(from, starts, at), to: axisAt(to, ends, at) });
  }
  return factors;
}

/**
 * Reshapes a node whose axes have an order, and moves its elements as little as possible. Axes are split in place, and only axes that are
 * joined are moved together. undefined if the shapes share too few factors.
 */
function reshapedInPlace({ lowering }: Call, value: NodeValue, from: readonly number[], to: readonly number[]) {
  const factors = factorsOf(from, to);
  if (!factors) return undefined;
  const lying = inverse(value.axes).flatMap((axis) => factors.filter((factor) => factor.from === axis));
  // A new axis stands at the place of its first factor.
  const order = [...new Set(lying.map((factor) => factor.to))];
  const moved = order.flatMap((axis) => factors.filter((factor) => factor.to === axis));
  const apart = lowering.reshape(value.node, lying.map((factor) => factor.size)); // prettier-ignore
  const perm = moved.map((factor) => lying.indexOf(factor));
  const together = isNatural(perm) ? apart : lowering.transpose(apart, perm);
  const ones = naturalAxes(to.length).filter((axis) => !order.includes(axis));
  const whole = tidied([...ones, ...order], to);
  return lowering.value(lowering.reshape(together, whole.map((axis) => to[axis]!)), whole, reshapedOrigin(value)); // prettier-ignore
}

/** After a reshape the axes are no longer those of a data input. A reader of the result as an image is no reason to take the input for one. */
const reshapedOrigin = ({ origin }: NodeValue): Origin => (typeof origin === 'number' ? 'data' : origin);

/** Axes of length 1 can stand anywhere. Beside their neighbours they keep the order natural more often. */
function tidied(order: readonly number[], dims: readonly number[]): readonly number[] {
  return order.every((axis, i) => dims[axis] === 1 || order.slice(0, i).every((other) => dims[other] === 1 || other < axis)) // prettier-ignore
    ? naturalAxes(order.length)
    : order;
}

/** A value in another shape with as many elements. @throws Misfit if the sizes differ */
export function reshape(call: Call, value: Value, to: readonly number[]): Value {
  const from = dimsOf(value);
  if (sameShape(from, to)) return value;
  if (value.kind === 'numbers') return reshapedNumbers(value, to);
  const { lowering } = call;
  if (sizeOf(from) !== sizeOf(to)) throw call.refusal(`cannot make [${to}] of [${from}]`);
  const moved = value.kind === 'node' && !isNatural(value.axes) ? reshapedInPlace(call, value, from, to) : undefined;
  if (moved) return moved;
  const node = lowering.reshape(lowering.natural(value), to);
  return lowering.value(node, naturalAxes(to.length), value.kind === 'node' ? reshapedOrigin(value) : 'weighted');
}

/** The shape that a target requests: 0 copies a size, and one -1 takes the rest. */
function resolved(from: readonly number[], target: readonly number[], allowZero: boolean): number[] | undefined {
  if (target.some((n) => n < -1) || target.filter((n) => n === -1).length > 1) return undefined;
  const dims = target.map((n, i) => (n === 0 && !allowZero ? (from[i] ?? 0) : n));
  const open = dims.indexOf(-1);
  const known = sizeOf(dims.filter((n) => n !== -1));
  if (open >= 0) dims[open] = known === 0 ? 0 : sizeOf(from) / known;
  return dims.every(Number.isInteger) && sizeOf(dims) === sizeOf(from) ? dims : undefined;
}

/**
 * Adapts a shape that was written for another batch: the axis of the samples grows with it. In the sequence of elements the samples
 * follow `before` others. A batch of one is a factor 1, which any axis that begins or ends there could hold.
 */
function forBatch(call: Call, now: readonly number[]): readonly number[] | undefined {
  const { written, lowering } = call;
  if (!written || written.input.length !== now.length) return undefined;
  const axis = now.findIndex((n, i) => n !== written.input[i]);
  if (axis < 0) return written.output;
  const { output } = written;
  const starts = productsBefore(output);
  const before = sizeOf(written.input.slice(0, axis)) * lowering.outerOf(call.node.inputs[0]!);
  let at = output.findIndex((n, i) => starts[i]! * n > before || (lowering.fileBatch === 1 && starts[i] === before));
  if (at < 0) return undefined;
  // The last axis holds features: rows of [steps, 1, features] are [steps * 1, features].
  if (lowering.fileBatch === 1 && at > 0 && at === output.length - 1 && output[at]! > 1) at--;
  lowering.setOuter(call.node.outputs[0]!, Math.max(1, before / starts[at]!));
  return output.with(at, (output[at]! * now[axis]!) / written.input[axis]!);
}

const reshapeTo: Operator = (call) => {
  const x = call.input(0);
  const from = dimsOf(x);
  const target = call.wholes('shape', 1) ?? [];
  const allowZero = call.flag('allowzero');
  const { written } = call;
  // The same numbers that led to the written shape are the file's, not computed for this batch.
  const literal = written && sameShape(resolved(written.input, target, allowZero) ?? [NaN], written.output);
  const to = (literal ? forBatch(call, from) : undefined) ?? resolved(from, target, allowZero);
  if (!to) throw call.refusal(`cannot make [${target}] of [${from}]`);
  return reshape(call, x, to);
};

const flatten: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const given = call.int('axis', 1);
  const axis = given === dims.length ? given : call.axis(given, Math.max(1, dims.length));
  return reshape(call, call.input(0), [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))]);
};

const squeeze: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const axes = call.wholes('axes', 1)?.map((axis) => call.axis(axis, dims.length));
  const gone = axes ?? naturalAxes(dims.length).filter((axis) => dims[axis] === 1);
  if (gone.some((axis) => dims[axis] !== 1)) throw call.refusal(`cannot leave out the axes [${gone}] of [${dims}]`);
  return reshape(call, call.input(0), dims.filter((_, axis) => !gone.includes(axis))); // prettier-ignore
};

const unsqueeze: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const given = call.wholes('axes', 1) ?? [];
  const rank = dims.length + given.length;
  const axes = given.map((axis) => call.axis(axis, rank));
  if (new Set(axes).size < axes.length) throw call.refusal(`adds an axis twice: [${axes}]`);
  const rest = [...dims];
  return reshape(call, call.input(0), naturalAxes(rank).map((axis) => (axes.includes(axis) ? 1 : rest.shift()!))); // prettier-ignore
};

/** From opset 15 on it may return some axes only. */
const shape: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const clip = (axis: number) => Math.max(0, Math.min(dims.length, axis < 0 ? axis + dims.length : axis));
  return list(dims.slice(clip(call.int('start', 0)), clip(call.int('end', dims.length))));
};

/** Records a permutation with the tensor: no element moves before an operation needs it. */
const transpose: Operator = (call) => {
  const x = call.input(0);
  const perm = call.ints('perm', naturalAxes(dimsOf(x).length).reverse());
  if (!sameShape([...perm].sort((a, b) => a - b), naturalAxes(dimsOf(x).length))) throw call.refusal(`has no permutation of its axes: [${perm}]`); // prettier-ignore
  if (x.kind === 'numbers') return permuted(x, perm);
  const axes = perm.map((axis) => x.axes[axis]!);
  return x.kind === 'node' ? { ...x, axes } : { ...x, axes, dims: perm.map((axis) => x.dims[axis]!) };
};

/** Repeats a value to a shape that it broadcasts to. */
export function expanded(call: Call, x: Value, to: readonly number[]): Value {
  const from = dimsOf(x);
  if (sameShape(from, to)) return x;
  if (x.kind === 'numbers') return broadcastTo(x, to);
  const { lowering } = call;
  const lead = to.length - from.length;
  const whole = reshape(call, x, [...to.slice(0, lead).map(() => 1), ...from]);
  const order = whole.kind === 'node' ? inverse(whole.axes) : naturalAxes(to.length);
  const node = lowering.inOrder(whole, order);
  const reps = order.map((axis, i) => (node.shape[i] === 1 ? to[axis]! : 1));
  const tiled = lowering.add('Tile', [node], node.shape.map((n, i) => n * reps[i]!), { reps }); // prettier-ignore
  return lowering.value(tiled, order, whole.kind === 'node' ? whole.origin : 'weighted');
}

const expand: Operator = (call) => {
  const x = call.input(0);
  const from = dimsOf(x);
  const target = call.wholes('shape', 1) ?? [];
  const { written } = call;
  const lead = target.length - from.length;
  // The target has the batch of the file's export along an axis that now has the pass's.
  const own = target.map((n, i) => {
    // Some exporters write -1 for a size that does not change.
    if (n < 1) return from[i - lead] ?? 1;
    const before = written?.input[i - lead];
    return before !== undefined && before === n && from[i - lead] !== before ? from[i - lead]! : n;
  });
  // Or the value is a constant of that batch, and the target has the pass's.
  const { batch, fileBatch } = call.lowering;
  const old = from.findIndex((n, axis) => n === fileBatch && n !== 1 && own[axis + lead] === batch && batch !== n);
  const one = old < 0 ? x : repeated(call, x, old, 1);
  return expanded(call, one, broadcastShape(dimsOf(one), own));
};

export const reshapingOperators: Readonly<Record<string, Operator>> = {
  Reshape: reshapeTo,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Shape: shape,
  Size: (call) => numbers([sizeOf(dimsOf(call.input(0)))], [], 'int32'),
  Transpose: transpose,
  Expand: expand,
};
