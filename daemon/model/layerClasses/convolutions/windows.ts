/** How windows slide over one to three axes of space or time, with the paddings of Keras. */
import { tupleAt, stringAt, type Json } from '../../layers/layerConfig.js';

/** Settings of a config; each list has an entry for each axis. */
export interface Sliding {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: string;
}

/** Sliding over an input: zeros before and after each axis, and the number of windows along it. */
export interface Windows extends Sliding {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly counts: readonly number[];
}

const isPositive = (n: number): boolean => Number.isInteger(n) && n >= 1;

export const paddingOf = (config: Json): string => (stringAt(config, 'padding') ?? 'valid').toLowerCase();

/** The settings of a convolution over `n` axes; null if they are not whole numbers. */
export function slidingOf(config: Json, n: number): Sliding | null {
  const [sizes, strides, dilations] = ['kernel_size', 'strides', 'dilation_rate'].map((key) => tupleAt(config, key, n, 1)); // prettier-ignore
  if (!sizes || !strides || !dilations || ![...sizes, ...strides, ...dilations].every(isPositive)) return null;
  return { sizes, strides, dilations, padding: paddingOf(config) };
}

/** @param places of the input, along the axes. @returns null if no window fits. */
export function windowsOver(places: readonly number[], sliding: Sliding): Windows | null {
  const { sizes, strides, dilations, padding } = sliding;
  const ends = places.map((length, i): [number, number] => {
    const reach = (sizes[i]! - 1) * dilations[i]! + 1;
    if (padding === 'causal') return [reach - 1, 0];
    if (padding !== 'same') return [0, 0];
    const total = Math.max((Math.ceil(length / strides[i]!) - 1) * strides[i]! + reach - length, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  const [before, after] = [ends.map(([start]) => start), ends.map(([, end]) => end)];
  const counts = places.map((length, i) => {
    const reach = (sizes[i]! - 1) * dilations[i]! + 1;
    return Math.floor((before[i]! + length + after[i]! - reach) / strides[i]!) + 1;
  });
  return counts.every(isPositive) ? { ...sliding, before, after, counts } : null;
}

/** Settings of an operation over images; a sequence is an image of one column. */
export function imageWindows({ strides, before, after }: Windows) {
  const two = (list: readonly number[], fill: number): readonly number[] => (list.length === 1 ? [list[0]!, fill] : list.slice(-2)); // prettier-ignore
  return { strides: two(strides, 1), pads: [...two(before, 0), ...two(after, 0)] };
}
