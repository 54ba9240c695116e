/** Convolutions and poolings of channels first by their definition, for tests. */
/** A grid with channels first: [channels, ...space]. */
export interface Grid {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Every index of a shape, in C order. */
function* indices(shape: readonly number[]): Generator<number[]> {
  for (let i = 0; i < sizeOf(shape); i++) {
    const index: number[] = [];
    for (let rest = i, axis = shape.length - 1; axis >= 0; axis--) {
      index.unshift(rest % shape[axis]!);
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}

export const offset = (shape: readonly number[], index: readonly number[]): number =>
  index.reduce((at, i, axis) => at * shape[axis]! + i, 0);

const inside = (shape: readonly number[], index: readonly number[]): boolean =>
  index.every((i, axis) => i >= 0 && i < shape[axis]!);

export function make(shape: readonly number[], value: (index: number[]) => number): Grid {
  return { shape, values: Float64Array.from([...indices(shape)], value) };
}

export const at = ({ shape, values }: Grid, index: readonly number[]): number => values[offset(shape, index)]!;

interface Window {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly same: boolean;
}

/** Output sizes, and the padding before each axis: TensorFlow's. */
function placed({ size, strides, same }: Window, space: readonly number[]) {
  const out = space.map((n, a) => (same ? Math.ceil(n / strides[a]!) : Math.floor((n - size[a]!) / strides[a]!) + 1));
  const before = space.map((n, a) => (same ? Math.max(0, (out[a]! - 1) * strides[a]! + size[a]! - n) >> 1 : 0));
  return { out, before };
}

const reading = (w: Window, before: readonly number[], to: readonly number[], k: readonly number[]): number[] =>
  to.map((o, a) => o * w.strides[a]! - before[a]! + k[a]!);

/** @param kernel [...size, channels, filters]. */
export function convolve(x: Grid, w: Window, kernel: Grid, bias?: Grid): Grid {
  const [channels, ...space] = x.shape as [number, ...number[]];
  const { out, before } = placed(w, space);
  return make([kernel.shape.at(-1)!, ...out], ([filter, ...to]) => {
    let sum = bias ? bias.values[filter!]! : 0;
    for (const k of indices(w.size)) {
      const from = reading(w, before, to, k);
      if (!inside(space, from)) continue;
      for (let c = 0; c < channels; c++) sum += at(x, [c, ...from]) * at(kernel, [...k, c, filter!]);
    }
    return sum;
  });
}

/** @param kernel [...size, channels, multiplier]. */
export function depthwise(x: Grid, w: Window, kernel: Grid, bias?: Grid): Grid {
  const [channels, ...space] = x.shape as [number, ...number[]];
  const multiplier = kernel.shape.at(-1)!;
  const { out, before } = placed(w, space);
  return make([channels * multiplier, ...out], ([made, ...to]) => {
    const c = Math.floor(made! / multiplier);
    let sum = bias ? bias.values[made!]! : 0;
    for (const k of indices(w.size)) {
      const from = reading(w, before, to, k);
      if (inside(space, from)) sum += at(x, [c, ...from]) * at(kernel, [...k, c, made! % multiplier]);
    }
    return sum;
  });
}

/** @param kernel [...size, filters, channels]. */
export function transposed(x: Grid, w: Window, kernel: Grid, bias: Grid): Grid {
  const [channels, ...space] = x.shape as [number, ...number[]];
  const filters = kernel.shape.at(-2)!;
  const out = space.map((n, a) => n * w.strides[a]! + (w.same ? 0 : Math.max(0, w.size[a]! - w.strides[a]!)));
  const before = space.map((_, a) => (w.same ? Math.max(0, w.size[a]! - w.strides[a]!) >> 1 : 0));
  const y = make([filters, ...out], ([filter]) => bias.values[filter!]!);
  for (const from of indices(space)) {
    for (const k of indices(w.size)) {
      const to = reading(w, before, from, k);
      if (!inside(out, to)) continue;
      for (let f = 0; f < filters; f++)
        for (let c = 0; c < channels; c++)
          y.values[offset(y.shape, [f, ...to])]! += at(x, [c, ...from]) * at(kernel, [...k, f, c]);
    }
  }
  return y;
}

export function pool(x: Grid, w: Window, how: 'max' | 'mean'): Grid {
  const [channels, ...space] = x.shape as [number, ...number[]];
  const { out, before } = placed(w, space);
  return make([channels, ...out], ([c, ...to]) => {
    const seen = [...indices(w.size)].map((k) => reading(w, before, to, k)).filter((from) => inside(space, from));
    const values = seen.map((from) => at(x, [c!, ...from]));
    return how === 'max' ? Math.max(...values) : values.reduce((sum, v) => sum + v, 0) / values.length;
  });
}

export const whole = (x: Grid): Window => ({ size: x.shape.slice(1), strides: x.shape.slice(1), same: false });
export const relu = ({ shape, values }: Grid): Grid => ({ shape, values: values.map((v) => Math.max(0, v)) });
