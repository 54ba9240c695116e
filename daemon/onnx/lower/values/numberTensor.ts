import { Misfit } from '../../../network/misfit.js';
import { broadcastShape, type DType, sameShape } from '../../../network/ir.js';
import { sizeOf, stridesOf } from '../../../protocol/shape.js';

/** Tensors whose content is known at import: shapes, axes, limits, masks. They are computed here, not by kernels. */

export interface NumberTensor {
  readonly kind: 'numbers';
  readonly dims: readonly number[];
  /** int32 stands for all whole numbers, which are exact up to 2^53 here. */
  readonly dtype: DType;
  /** Row major. Bools are 0 and 1. */
  readonly data: Float64Array;
}

/** Most elements of a tensor that is computed at import. */
export const mostNumbers = 2 ** 22;

/** The number of elements of a shape. @throws Misfit if there are too many, or the shape is invalid */
export function heldSize(dims: readonly number[]): number {
  const size = sizeOf(dims);
  if (!dims.every((n) => Number.isInteger(n) && n >= 0)) throw new Misfit(`[${dims}] is no shape`);
  if (size <= mostNumbers) return size;
  throw new Misfit(`a constant of the shape [${dims}] has more than ${mostNumbers} numbers`);
}

const rounded: Record<DType, (value: number) => number> = {
  float32: Math.fround,
  int32: (value) => value,
  bool: (value) => value,
};

/** A tensor of these values, rounded to the type. */
export function numbers(data: ArrayLike<number>, dims: readonly number[], dtype: DType): NumberTensor {
  if (data.length !== sizeOf(dims)) throw new Misfit(`[${dims}] does not hold ${data.length} numbers`);
  return { kind: 'numbers', dims: [...dims], dtype, data: Float64Array.from(data, rounded[dtype]) };
}

/** A list of whole numbers, as shapes and axes are. */
export const list = (values: readonly number[]): NumberTensor => numbers(values, [values.length], 'int32');

export const scalarOf = ({ data }: NumberTensor): number | undefined => (data.length === 1 ? data[0] : undefined);

/** The one number that all elements equal; undefined if they differ or there is none. */
export const splatOf = ({ data }: NumberTensor): number | undefined =>
  data.length > 0 && data.every((v) => Object.is(v, data[0])) ? data[0] : undefined;

/** Calls `visit` with each index of a shape, in order; the array is reused. */
export function eachIndex(dims: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = dims.map(() => 0);
  for (let flat = 0, n = sizeOf(dims); flat < n; flat++) {
    visit(index, flat);
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis]! === dims[axis]; axis--) index[axis] = 0;
  }
}

/** Builds a tensor whose element at an index is the element of `source` at the place `at(index)`; for a negative place it is `fill`. */
export function taken(
  source: NumberTensor,
  dims: readonly number[],
  at: (index: readonly number[]) => number,
  fill = 0,
): NumberTensor {
  const data = new Float64Array(heldSize(dims));
  eachIndex(dims, (index, flat) => {
    const place = at(index);
    const value = place < 0 ? fill : source.data[place];
    if (value === undefined) throw new Misfit(`it reads beyond a tensor of [${source.dims}]`);
    data[flat] = value;
  });
  return { kind: 'numbers', dims: [...dims], dtype: source.dtype, data };
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** Broadcasts it to a shape, as NumPy does. @throws Misfit if it does not fit */
export function broadcastTo(source: NumberTensor, dims: readonly number[]): NumberTensor {
  if (sameShape(source.dims, dims)) return source;
  if (!sameShape(broadcastShape(source.dims, dims), dims)) throw new Misfit(`[${source.dims}] does not broadcast to [${dims}]`); // prettier-ignore
  const lead = dims.length - source.dims.length;
  const steps = stridesOf(source.dims).map((stride, axis) => (source.dims[axis] === 1 ? 0 : stride));
  return taken(source, dims, (index) => steps.reduce((sum, step, axis) => sum + step * index[lead + axis]!, 0));
}

/** Transposes it: axis i of the result is axis perm[i]. */
export function permuted(source: NumberTensor, perm: readonly number[]): NumberTensor {
  const strides = perm.map((axis) => stridesOf(source.dims)[axis]!);
  return taken(source, perm.map((axis) => source.dims[axis]!), (index) => dot(index, strides)); // prettier-ignore
}

/** The same numbers in another shape. @throws Misfit if the sizes differ */
export function reshaped(source: NumberTensor, dims: readonly number[]): NumberTensor {
  if (sizeOf(dims) !== source.data.length) throw new Misfit(`[${source.dims}] cannot become [${dims}]`);
  return { ...source, dims: [...dims] };
}

/** Computes element by element on tensors that broadcast. @throws Misfit if they do not */
export function combined(
  tensors: readonly NumberTensor[],
  dtype: DType,
  compute: (...values: number[]) => number,
): NumberTensor {
  const dims = tensors.map((tensor) => tensor.dims).reduce(broadcastShape);
  const whole = tensors.map((tensor) => broadcastTo(tensor, dims).data);
  const data = Float64Array.from({ length: heldSize(dims) }, (_, i) => compute(...whole.map((values) => values[i]!)));
  return numbers(data, dims, dtype);
}
