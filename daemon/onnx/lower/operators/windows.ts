import type { Call } from '../call.js';

/** The windows over the places of images, in ONNX's terms; each list has an entry per axis of places. */
export interface Windows {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding; negative padding crops. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Extra padding at the end that the last window reaches (ceil_mode). */
  readonly beyond: readonly number[];
  /** Number of windows. */
  readonly counts: readonly number[];
}

const AUTO_PADS = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'];

/** Extent of a window with its dilation. */
export const reachOf = (size: number, dilation: number): number => (size - 1) * dilation + 1;

/** Windows, strides and dilations are at least 1, and what executors count in: 32 bits. */
export function refuseUneven(call: Call, ...lists: readonly (readonly number[])[]): void {
  for (const list of lists)
    if (!list.every((n) => Number.isInteger(n) && n >= 1 && n < 2 ** 31)) throw call.refusal(`has windows, strides or dilations of [${list}]`); // prettier-ignore
}

/**
 * @param places sizes of the image
 * @param sizes of the window
 */
export function windowsOf(call: Call, places: readonly number[], sizes: readonly number[], ceil = false): Windows {
  const each = (name: string) => call.ints(name, undefined) ?? places.map(() => 1);
  const [strides, dilations] = [each('strides'), each('dilations')];
  const pads = call.ints('pads', undefined) ?? [...places, ...places].map(() => 0);
  const auto = call.text('auto_pad', 'NOTSET');
  if (!AUTO_PADS.includes(auto)) throw call.refusal(`pads by "${auto}", which has no rule`);
  const n = places.length;
  if ([sizes, strides, dilations].some((given) => given.length !== n) || pads.length !== 2 * n)
    throw call.refusal(`slides windows of [${sizes}] over ${n} axes`);
  refuseUneven(call, sizes, strides, dilations);
  const reach = sizes.map((size, i) => reachOf(size, dilations[i]!));
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
  const total = places.map((place, i) =>
    same ? Math.max(0, (Math.ceil(place / strides[i]!) - 1) * strides[i]! + reach[i]! - place) : 0,
  );
  const half = total.map((sum) => (auto === 'SAME_UPPER' ? Math.floor(sum / 2) : Math.ceil(sum / 2)));
  const before = auto === 'NOTSET' ? pads.slice(0, n) : half;
  const after = auto === 'NOTSET' ? pads.slice(n) : total.map((sum, i) => sum - half[i]!);
  const counts = places.map((place, i) => {
    const steps = (before[i]! + place + after[i]! - reach[i]!) / strides[i]!;
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would begin behind the image is left out.
    return ceil && (count - 1) * strides[i]! >= place + before[i]! ? count - 1 : count;
  });
  if (counts.some((count) => count < 1))
    throw call.refusal(`has a window of [${sizes}] that does not fit into its input, of [${places}]`);
  const beyond = counts.map((count, i) =>
    Math.max(0, (count - 1) * strides[i]! + reach[i]! - (before[i]! + places[i]! + after[i]!)),
  );
  return { sizes, strides, dilations, before, after, beyond, counts };
}
