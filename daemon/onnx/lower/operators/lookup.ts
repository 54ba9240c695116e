import { type Node, sameShape } from '../../../network/ir.js';
import { sizeOf, stridesOf } from '../../../protocol/shape.js';
import type { Call, Operator } from '../call.js';
import { originOf } from '../lowering.js';
import { eachIndex, heldSize, numbers, type NumberTensor, taken } from '../values/numberTensor.js';
import { dimsOf, naturalAxes, typeOf, type Value } from '../values/value.js';
import { permutedLayout } from '../values/weightLayout.js';
import { gathered, strided } from './moving.js';
import { reshape } from './reshaping.js';

/** Operators in which one tensor gives the places from which elements of another are read, or to which they are written. */

const fromFront = (index: number, n: number): number => (index < 0 ? index + n : index);

/** A known index, counted from the front. @throws UserError if it lies outside of an axis of n */
function insideOf(call: Call, index: number, n: number): number {
  const place = fromFront(index, n);
  if (place >= 0 && place < n) return place;
  throw call.refusal(`takes entry ${index} of an axis of ${n}`);
}

/** Indices that a pass computes, counted from the front. */
function indicesOf({ lowering }: Call, value: Value, n: number): Node {
  const given = lowering.natural(value);
  const indices = given.dtype === 'int32' ? given : lowering.cast(given, 'int32');
  const negative = lowering.add('Less', [indices, lowering.scalar(0, 'int32')], indices.shape, {}, 'bool');
  const wrapped = lowering.add('Add', [indices, lowering.scalar(n, 'int32')], indices.shape);
  return lowering.add('Select', [negative, wrapped, indices], indices.shape, {}, 'int32');
}

/** A table whose rows are looked up is an embedding: a weight that budgets count. */
function tableOf({ lowering }: Call, value: Value, axis: number): Node {
  if (value.kind !== 'weight') return lowering.natural(value);
  const isEmbedding = value.dims.length === 2 && axis === 0;
  return lowering.weight(value, permutedLayout(value.dims, naturalAxes(value.dims.length)), isEmbedding ? 'kernel' : 'parameter'); // prettier-ignore
}

const gather: Operator = (call) => {
  const { lowering } = call;
  const [x, at] = [call.input(0), call.places(1)];
  const dims = dimsOf(x);
  const axis = call.axis(call.int('axis', 0), dims.length);
  const n = dims[axis]!;
  const shape = dims.toSpliced(axis, 1, ...dimsOf(at));
  if (at.kind !== 'numbers') {
    const table = tableOf(call, x, axis);
    const node = lowering.add('Gather', [table, indicesOf(call, at, n)], shape, { axis });
    return lowering.value(node, undefined, originOf([x, at]));
  }
  const places = Array.from(at.data, (index) => fromFront(index, n));
  if (places.some((place) => !(place >= 0 && place < n))) throw call.refusal(`takes entries [${places.slice(0, 8)}] of an axis of ${n}`); // prettier-ignore
  const first = places[0] ?? 0;
  const isRun = places.length > 0 && places.every((place, i) => place === first + i);
  const some = isRun
    ? strided(call, x, dims.map((_, i) => (i === axis ? first : 0)), dims.map(() => 1), dims.with(axis, places.length)) // prettier-ignore
    : gathered(call, x, axis, places);
  return reshape(call, some, shape);
};

/** The elements of x at places of its flat sequence, in a shape. */
function elementsAt(call: Call, x: Value, places: Value, shape: readonly number[]): Value {
  const { lowering } = call;
  if (x.kind === 'numbers' && places.kind === 'numbers') {
    const flat = x.data;
    return numbers(places.data.map((place) => flat[place]!), shape, x.dtype); // prettier-ignore
  }
  const node = lowering.reshape(lowering.natural(x), [sizeOf(dimsOf(x))]);
  const indices = lowering.reshape(lowering.natural(places), [sizeOf(shape)]);
  const found = lowering.add('Gather', [node, indices], indices.shape, { axis: 0 });
  return lowering.value(lowering.reshape(found, shape), undefined, originOf([x, places]));
}

/** For each element of `shape`: offset(index) plus the given index there, times `stride`; known if the indices are. */
function placesAt(
  call: Call,
  indices: Value,
  n: number,
  stride: number,
  offset: (index: readonly number[]) => number,
): Value {
  const { lowering } = call;
  const shape = dimsOf(indices);
  const offsets = new Float64Array(heldSize(shape));
  eachIndex(shape, (index, flat) => (offsets[flat] = offset(index)));
  if (indices.kind === 'numbers') {
    const places = indices.data.map((index) => insideOf(call, index, n));
    return numbers(
      offsets.map((start, i) => start + stride * places[i]!),
      shape,
      'int32',
    );
  }
  const scaled = lowering.add('Multiply', [indicesOf(call, indices, n), lowering.scalar(stride, 'int32')], shape);
  const start = lowering.constant(numbers(offsets, shape, 'int32'));
  return lowering.value(lowering.add('Add', [scaled, start], shape), undefined, originOf([indices]));
}

/** The place in x of each element of the indices, which replace one axis. */
function alongAxis(call: Call): { x: Value; places: Value } {
  const [x, indices] = [call.input(0), call.places(1)];
  const dims = dimsOf(x);
  const axis = call.axis(call.int('axis', 0), dims.length);
  const fits = call.shapeOfRank(1, dims.length).every((n, i) => i === axis || n <= dims[i]!);
  if (!fits) throw call.refusal(`has places of shape [${dimsOf(indices)}] for an input of [${dims}]`);
  const strides = stridesOf(dims);
  const offset = (index: readonly number[]) => strides.reduce((sum, stride, i) => sum + (i === axis ? 0 : stride * index[i]!), 0); // prettier-ignore
  return { x, places: placesAt(call, indices, dims[axis]!, strides[axis]!, offset) };
}

const gatherElements: Operator = (call) => {
  const { x, places } = alongAxis(call);
  return elementsAt(call, x, places, dimsOf(places));
};

/** The last axis of the indices indexes the first axes of x; the axes after these are taken whole. */
function byIndex(call: Call, batchDims: number): { x: Value; places: Value; shape: readonly number[] } {
  const [x, indices] = [call.input(0), call.places(1)];
  const dims = dimsOf(x);
  const rows = dimsOf(indices);
  const depth = rows.at(-1) ?? 0;
  const fits = depth >= 1 && batchDims >= 0 && batchDims < rows.length && batchDims + depth <= dims.length && sameShape(rows.slice(0, batchDims), dims.slice(0, batchDims)); // prettier-ignore
  if (!fits) throw call.refusal(`has places of shape [${rows}] for an input of [${dims}]`);
  const inner = dims.slice(batchDims + depth);
  const shape = [...rows.slice(0, -1), ...inner];
  const strides = stridesOf(dims);
  if (indices.kind === 'numbers') {
    const places = numbers(new Float64Array(heldSize(shape)), shape, 'int32');
    const steps = stridesOf(rows);
    eachIndex(shape, (index, flat) => {
      let place = 0;
      for (let i = 0; i < batchDims; i++) place += strides[i]! * index[i]!;
      const row = steps.slice(0, -1).reduce((sum, step, i) => sum + step * index[i]!, 0);
      for (let k = 0; k < depth; k++) place += strides[batchDims + k]! * insideOf(call, indices.data[row + k]!, dims[batchDims + k]!); // prettier-ignore
      for (let i = 0; i < inner.length; i++) place += strides[batchDims + depth + i]! * index[rows.length - 1 + i]!;
      places.data[flat] = place;
    });
    return { x, places, shape };
  }
  const { lowering } = call;
  const given = lowering.natural(indices);
  const lead = rows.slice(0, -1);
  const own = Array.from({ length: depth }, (_, k) => {
    const begin = [...lead.map(() => 0), k];
    const column = lowering.reshape(lowering.add('Slice', [given], [...lead, 1], { begin }), lead);
    const offset = (index: readonly number[]) => (k > 0 ? 0 : strides.slice(0, batchDims).reduce((sum, stride, i) => sum + stride * index[i]!, 0)); // prettier-ignore
    const places = placesAt(call, lowering.value(column), dims[batchDims + k]!, strides[batchDims + k]!, offset);
    return lowering.natural(places);
  });
  const start = own.reduce((a, b) => lowering.add('Add', [a, b], lead));
  const behind = lowering.constant(numbers(naturalAxes(heldSize(inner)), inner, 'int32'));
  const spread = lowering.reshape(start, [...lead, ...inner.map(() => 1)]);
  return { x, places: lowering.value(lowering.add('Add', [spread, behind], shape)), shape };
}

const gatherNd: Operator = (call) => {
  const { x, places, shape } = byIndex(call, call.int('batch_dims', 0));
  return elementsAt(call, x, places, shape);
};

/** x with the updates written, or added, at places of its flat sequence. */
function scattered(call: Call, x: Value, places: Value, updates: Value): Value {
  const { lowering } = call;
  if (!sameShape(dimsOf(updates), dimsOf(places))) throw call.refusal(`puts [${dimsOf(updates)}] at places of [${dimsOf(places)}]`); // prettier-ignore
  if (typeOf(updates) !== typeOf(x)) throw call.refusal('puts numbers of another type than its input has');
  const reduction = call.text('reduction', 'none');
  const dims = dimsOf(x);
  const known = (value: Value): value is NumberTensor => value.kind === 'numbers';
  if (reduction === 'add' && !known(places)) return added(call, x, places, updates);
  if (!known(places)) throw call.refusal('puts elements at places that are computed from data, which has no rule');
  if (known(x) && known(updates)) {
    const result = numbers(x.data, dims, x.dtype);
    const put = putters[reduction];
    if (!put) throw call.refusal(`has the reduction "${reduction}", which has no rule`);
    places.data.forEach((place, i) => (result.data[place] = put(result.data[place]!, updates.data[i]!)));
    return result;
  }
  if (reduction === 'add') return added(call, x, places, updates);
  if (reduction !== 'none') throw call.refusal(`has the reduction "${reduction}" on data, which has no rule`);
  // The source and the updates become one sequence, from which the result takes its elements.
  const from = Float64Array.from({ length: heldSize(dims) }, (_, i) => i);
  places.data.forEach((place, i) => (from[place] = sizeOf(dims) + i));
  const flat = (value: Value) => lowering.reshape(lowering.natural(value), [sizeOf(dimsOf(value))]);
  const both = lowering.add('Concat', [flat(x), flat(updates)], [sizeOf(dims) + sizeOf(dimsOf(updates))], { axis: 0 });
  return elementsAt(call, lowering.value(both, undefined, originOf([x, updates])), numbers(from, dims, 'int32'), dims);
}

const putters: Readonly<Record<string, (old: number, update: number) => number>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: Math.max,
  min: Math.min,
};

function added(call: Call, x: Value, places: Value, updates: Value): Value {
  const { lowering } = call;
  if (typeOf(x) !== 'float32') throw call.refusal('adds whole numbers at places, which has no rule');
  const size = sizeOf(dimsOf(x));
  const flat = (value: Value) => lowering.reshape(lowering.natural(value), [sizeOf(dimsOf(value))]);
  const sums = lowering.add('SegmentSum', [flat(updates), flat(places)], [size]);
  const whole = lowering.reshape(lowering.add('Add', [flat(x), sums], [size]), dimsOf(x));
  return lowering.value(whole, undefined, originOf([x, updates]));
}

/** Adds an axis of the classes. The input gives the values for off and on. */
const oneHot: Operator = (call) => {
  const { lowering } = call;
  const [indices, values] = [call.input(0), call.known(2, 'its values')];
  const depth = call.scalar(1, 'its depth');
  if (values.data.length !== 2 || !(depth >= 1)) throw call.refusal(`has ${values.data.length} values and a depth of ${depth}`); // prettier-ignore
  const rank = dimsOf(indices).length + 1;
  const axis = call.axis(call.int('axis', -1), rank);
  const [off, on] = [values.data[0]!, values.data[1]!];
  const hot = lowering.add('OneHot', [indicesOf(call, indices, depth)], [...dimsOf(indices), depth], { onValue: on, offValue: off }, values.dtype); // prettier-ignore
  const order = [...naturalAxes(rank).filter((i) => i !== axis), axis];
  return lowering.value(hot, order, originOf([indices]));
};

/** Indices of the nonzero elements, [rank, count]. The count must be known at import. */
const nonZero: Operator = (call) => {
  const x = call.known(0, 'its input');
  const found: number[][] = [];
  eachIndex(x.dims, (index, flat) => x.data[flat] !== 0 && found.push([...index]));
  return numbers(x.dims.flatMap((_, axis) => found.map((index) => index[axis]!)), [x.dims.length, found.length], 'int32'); // prettier-ignore
};

/** The part on and above (or below) a diagonal; the rest is 0. */
const trilu: Operator = (call) => {
  const { lowering } = call;
  const x = call.input(0);
  const dims = dimsOf(x);
  if (dims.length < 2) throw call.refusal(`takes triangles of an input of [${dims}]`);
  const k = call.optional(1) ? call.scalar(1, 'its diagonal') : 0;
  const upper = call.flag('upper', true);
  const kept = (row: number, column: number) => (upper ? column - row >= k : column - row <= k);
  if (x.kind === 'numbers') {
    const strides = stridesOf(dims);
    return taken(x, dims, (index) => (kept(index.at(-2)!, index.at(-1)!) ? strides.reduce((sum, stride, i) => sum + stride * index[i]!, 0) : -1)); // prettier-ignore
  }
  const [rows, columns] = dims.slice(-2) as [number, number];
  heldSize([rows, columns]);
  const mask = numbers(Float64Array.from({ length: rows * columns }, (_, i) => Number(kept(Math.floor(i / columns), i % columns))), [rows, columns], 'bool'); // prettier-ignore
  const node = lowering.natural(x);
  return lowering.value(lowering.add('Select', [lowering.constant(mask), node, lowering.scalar(0, node.dtype)], dims, {}, node.dtype), undefined, originOf([x])); // prettier-ignore
};

export const lookupOperators: Readonly<Record<string, Operator>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: (call) => {
    const { x, places } = alongAxis(call);
    return scattered(call, x, places, call.input(2));
  },
  Scatter: (call) => {
    const { x, places } = alongAxis(call);
    return scattered(call, x, places, call.input(2));
  },
  ScatterND: (call) => {
    const { x, places } = byIndex(call, 0);
    return scattered(call, x, places, call.input(2));
  },
  OneHot: oneHot,
  NonZero: nonZero,
  Trilu: trilu,
};
