import { inverse, type Node, sameShape } from '../../../network/ir.js';
import { sizeOf, stridesOf } from '../../../protocol/shape.js';
import { inBatch, orderFor } from '../align.js';
import type { Call, Operator } from '../call.js';
import { originOf } from '../lowering.js';
import { heldSize, type NumberTensor, numbers, scalarOf, taken } from '../values/numberTensor.js';
import { dimsOf, naturalAxes, typeOf, type Value } from '../values/value.js';

/** Operators that take parts of tensors or join tensors, in any order of axes. */

/** A node of the value in its present layout, the order of its axes, and its shape. */
export function lying(call: Call, value: Value) {
  const order = value.kind === 'node' ? inverse(value.axes) : naturalAxes(dimsOf(value).length);
  const node = call.lowering.inOrder(value, order);
  return { node, order, shape: node.shape, as: (made: Node) => call.lowering.value(made, order, originOf([value])) };
}

const inSteps = (dims: readonly number[], index: readonly number[]): number =>
  stridesOf(dims).reduce((sum, stride, axis) => sum + stride * index[axis]!, 0);

/** Elements begin, begin + step... of each axis, `lengths` of them; steps may be negative. */
export function strided(
  call: Call,
  x: Value,
  begin: readonly number[],
  steps: readonly number[],
  lengths: readonly number[],
): Value {
  const dims = dimsOf(x);
  if (x.kind === 'numbers')
    return taken(x, lengths, (index) => inSteps(dims, index.map((i, axis) => begin[axis]! + i * steps[axis]!))); // prettier-ignore
  if (sameShape(lengths, dims) && steps.every((step) => step > 0)) return x;
  const { lowering } = call;
  const { node, order, as } = lying(call, x);
  const ordered = (list: readonly number[]) => order.map((axis) => list[axis]!);
  const shape = ordered(lengths);
  if (lengths.some((n) => n === 0)) return as(lowering.builder.constant(0, shape, node.dtype));
  if (steps.every((step, axis) => step === 1 || lengths[axis] === 1)) return as(lowering.add('Slice', [node], shape, { begin: ordered(begin) })); // prettier-ignore
  const backward = steps.map((step, axis) => step < 0 && lengths[axis]! > 1);
  // For a negative step the same places are read in ascending order, then reversed.
  const first = begin.map((from, axis) => (backward[axis] ? from + (lengths[axis]! - 1) * steps[axis]! : from));
  const strides = steps.map((step, axis) => (lengths[axis] === 1 ? 1 : Math.abs(step)));
  const end = first.map((from, axis) => from + (lengths[axis]! - 1) * strides[axis]! + 1);
  const some = lowering.add('StridedSlice', [node], shape, { begin: ordered(first), end: ordered(end), strides: ordered(strides) }); // prettier-ignore
  const axes = order.flatMap((axis, i) => (backward[axis] ? [i] : []));
  return as(axes.length === 0 ? some : lowering.add('Reverse', [some], shape, { axes }));
}

const slice: Operator = (call) => {
  const x = call.input(0);
  const dims = dimsOf(x);
  const starts = call.wholes('starts', 1);
  if (!starts) throw call.refusal('has no starts');
  const { length } = starts;
  const ends = call.wholes('ends', 2, length);
  if (!ends) throw call.refusal('has no ends');
  const axes = (call.wholes('axes', 3, length) ?? naturalAxes(length)).map((axis) => call.axis(axis, dims.length));
  if (new Set(axes).size < length) throw call.refusal(`cuts an axis twice: [${axes}]`);
  const given = call.opset < 10 ? undefined : call.wholes('steps', 4, length);
  const [begin, steps, lengths] = [dims.map(() => 0), dims.map(() => 1), [...dims]];
  for (const [i, axis] of axes.entries()) {
    const [n, step] = [dims[axis]!, given?.[i] ?? 1];
    if (step === 0) throw call.refusal('has a step of 0');
    const clip = (v: number, low: number, high: number) => Math.max(low, Math.min(high, v < 0 ? v + n : v));
    const from = step > 0 ? clip(starts[i]!, 0, n) : clip(starts[i]!, 0, n - 1);
    const to = step > 0 ? clip(ends[i]!, 0, n) : clip(ends[i]!, -1, n - 1);
    [begin[axis], steps[axis], lengths[axis]] = [from, step, Math.max(0, Math.ceil((to - from) / step))];
  }
  return strided(call, x, begin, steps, lengths);
};

/** Splits an axis into consecutive parts. */
export function parts(call: Call, x: Value, axis: number, sizes: readonly number[]): Value[] {
  const dims = dimsOf(x);
  let at = 0;
  return sizes.map((size) => {
    const begin = dims.map((_, i) => (i === axis ? at : 0));
    at += size;
    return strided(call, x, begin, dims.map(() => 1), dims.with(axis, size)); // prettier-ignore
  });
}

/** Sizes are given or equal; the last of num_outputs (opset 18) may be smaller. */
const split: Operator = (call) => {
  const dims = dimsOf(call.input(0));
  const axis = call.axis(call.int('axis', 0), dims.length);
  const count = call.outputs;
  if (call.int('num_outputs', count) !== count) throw call.refusal(`splits into ${call.int('num_outputs', count)} parts and names ${count}`); // prettier-ignore
  const each = Math.ceil(dims[axis]! / count);
  const equal = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, dims[axis]! - i * each)));
  const sizes = call.wholes('split', 1, count) ?? equal;
  if (sizes.reduce((sum, n) => sum + n, 0) !== dims[axis] || sizes.some((n) => n < 0)) throw call.refusal(`splits an axis of ${dims[axis]} into [${sizes}]`); // prettier-ignore
  return parts(call, call.input(0), axis, sizes);
};

const isKnown = (value: Value): value is NumberTensor => value.kind === 'numbers';

/** Joins values along an axis. */
export function concat(call: Call, given: readonly Value[], axis: number): Value {
  const full = given.filter((value) => sizeOf(dimsOf(value)) > 0);
  const values = full.length > 0 ? full : given;
  if (values.length === 1) return values[0]!;
  const dims = dimsOf(values[0]!);
  const lengths = values.map((value) => dimsOf(value)[axis]!);
  const whole = dims.with(axis, lengths.reduce((sum, n) => sum + n, 0)); // prettier-ignore
  const fits = (shape: readonly number[]) => shape.length === dims.length && shape.every((n, i) => i === axis || n === dims[i]); // prettier-ignore
  if (!values.every((value) => fits(dimsOf(value))))
    throw call.refusal(`cannot join tensors of ${values.map((value) => `[${dimsOf(value)}]`).join(', ')}`);
  if (values.every(isKnown)) {
    const [inner, outer] = [sizeOf(dims.slice(axis + 1)), sizeOf(dims.slice(0, axis))];
    const rows = Array.from({ length: outer }, (_, i) => values.map(({ data }, k) => data.subarray(i * lengths[k]! * inner, (i + 1) * lengths[k]! * inner))); // prettier-ignore
    return numbers(rows.flat().flatMap((run) => [...run]), whole, typeOf(values[0]!)); // prettier-ignore
  }
  const order = orderFor(values, dims.length);
  const nodes = values.map((value) => call.lowering.inOrder(value, order));
  const node = call.lowering.add('Concat', nodes, order.map((i) => whole[i]!), { axis: order.indexOf(axis) }); // prettier-ignore
  return call.lowering.value(node, order, originOf(values));
}

const join: Operator = (call) => {
  const axis = call.axis(call.int('axis', 1), call.rank(0));
  return concat(call, inBatch(call, call.inputs, axis), axis);
};

/** Pads with elements of `value`; negative counts crop. */
export function padded(call: Call, x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  const dims = dimsOf(x);
  const cut = (list: readonly number[]) => list.map((n) => Math.max(0, -n));
  const inner = dims.map((n, axis) => n - cut(before)[axis]! - cut(after)[axis]!);
  const rest = strided(call, x, cut(before), dims.map(() => 1), inner); // prettier-ignore
  const [front, back] = [before, after].map((list) => list.map((n) => Math.max(0, n))) as [number[], number[]];
  const whole = inner.map((n, axis) => n + front[axis]! + back[axis]!);
  if (sameShape(whole, inner)) return rest;
  if (rest.kind === 'numbers') {
    const outside = (index: readonly number[]) => index.some((i, axis) => i < front[axis]! || i >= front[axis]! + inner[axis]!); // prettier-ignore
    return taken(rest, whole, (index) => (outside(index) ? -1 : inSteps(inner, index.map((i, axis) => i - front[axis]!))), value); // prettier-ignore
  }
  const { node, order, as } = lying(call, rest);
  const ordered = (list: readonly number[]) => order.map((axis) => list[axis]!);
  return as(call.lowering.add('Pad', [node], ordered(whole), { before: ordered(front), after: ordered(back), value }));
}

/** As `padded`, with the tensor's own elements: mirrored without the edge, the repeated edge, or the other end. */
function paddedWithin(call: Call, x: Value, mode: string, before: readonly number[], after: readonly number[]): Value {
  if (mode === 'reflect' && x.kind === 'node' && [...before, ...after].every((n) => n >= 0)) {
    const { node, order, shape, as } = lying(call, x);
    const [front, back] = [before, after].map((list) => order.map((axis) => list[axis]!)) as [number[], number[]];
    if (shape.every((n, i) => front[i]! < n && back[i]! < n))
      return as(call.lowering.add('MirrorPad', [node], shape.map((n, i) => n + front[i]! + back[i]!), { before: front, after: back, mode })); // prettier-ignore
  }
  return before.reduce((whole, n, axis) => paddedAlong(call, whole, mode, axis, [n, after[axis]!]), x);
}

function paddedAlong(
  call: Call,
  x: Value,
  mode: string,
  axis: number,
  [before, after]: readonly [number, number],
): Value {
  if (before === 0 && after === 0) return x;
  const dims = dimsOf(x);
  const n = dims[axis]!;
  const wrapped = (i: number): number => {
    if (mode === 'edge') return Math.max(0, Math.min(n - 1, i));
    if (mode === 'wrap') return ((i % n) + n) % n;
    const period = Math.max(1, 2 * (n - 1));
    const at = ((i % period) + period) % period;
    return at < n ? at : period - at;
  };
  const places = Array.from({ length: heldSize([Math.max(0, n + before + after)]) }, (_, i) => wrapped(i - before));
  return gathered(call, x, axis, places);
}

/** Entries along an axis at known places. */
export function gathered(call: Call, x: Value, axis: number, places: readonly number[]): Value {
  const dims = dimsOf(x);
  if (x.kind === 'numbers') return taken(x, dims.with(axis, places.length), (index) => inSteps(dims, index.with(axis, places[index[axis]!]!))); // prettier-ignore
  const { node, order, as } = lying(call, x);
  const indices = call.lowering.constant(numbers(places, [places.length], 'int32'));
  const at = order.indexOf(axis);
  return as(call.lowering.add('Gather', [node, indices], node.shape.with(at, places.length), { axis: at }));
}

/** Pads are attributes before opset 11, then inputs; from opset 18 on they may be given for some axes only. */
const pad: Operator = (call) => {
  const x = call.input(0);
  const rank = call.rank(0);
  const places = (call.wholes('axes', 3) ?? naturalAxes(rank)).map((axis) => call.axis(axis, rank));
  const given = call.wholes(call.has('paddings') ? 'paddings' : 'pads', 1, 2 * places.length);
  if (!given) throw call.refusal('has no pads');
  const [before, after] = [naturalAxes(rank).map(() => 0), naturalAxes(rank).map(() => 0)];
  for (const [i, axis] of places.entries()) [before[axis], after[axis]] = [given[i]!, given[places.length + i]!];
  const mode = call.text('mode', 'constant');
  if (mode !== 'constant') {
    if (!['reflect', 'edge', 'wrap'].includes(mode)) throw call.refusal(`pads in mode "${mode}", which has no rule`);
    return paddedWithin(call, x, mode, before, after);
  }
  const value = call.optionalKnown(2, 'the value of padding');
  return padded(call, x, before, after, (value && scalarOf(value)) ?? call.float('value', 0));
};

const tile: Operator = (call) => {
  const x = call.input(0);
  const dims = dimsOf(x);
  const reps = call.wholes('repeats', 1, dims.length);
  if (!reps) throw call.refusal('has no repeats');
  if (reps.some((n) => n < 0)) throw call.refusal(`cannot be repeated [${reps}] times`);
  const whole = dims.map((n, axis) => n * reps[axis]!);
  if (x.kind === 'numbers')
    return taken(x, whole, (index) =>
      inSteps(
        dims,
        index.map((i, axis) => i % dims[axis]!),
      ),
    );
  const { node, order, as } = lying(call, x);
  if (reps.some((n) => n < 1)) return as(call.lowering.builder.constant(0, order.map((axis) => whole[axis]!), node.dtype)); // prettier-ignore
  const ordered = order.map((axis) => reps[axis]!);
  return as(call.lowering.add('Tile', [node], node.shape.map((n, i) => n * ordered[i]!), { reps: ordered })); // prettier-ignore
};

export const movingOperators: Readonly<Record<string, Operator>> = {
  Slice: slice,
  Split: split,
  Concat: join,
  Pad: pad,
  Tile: tile,
};
