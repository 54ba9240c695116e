/** Shapes of tensors without the batch axis: a null size is unknown, a null shape entirely unknown. */

export type Dim = number | null;
export type Shape = readonly Dim[];

/** Product of the sizes; null when one is unknown. */
export const sizeOf = (shape: Shape): number | null =>
  shape.reduce<number | null>((product, dim) => (product === null || dim === null ? null : product * dim), 1);

/** An impossible size (a kernel larger than its input) counts as unknown. */
export const positive = (size: number): Dim => (Number.isInteger(size) && size > 0 ? size : null);

/** Channels are the last axis. */
export const channelsOf = (shape: Shape | null): Dim => shape?.at(-1) ?? null;

/** An axis of the config, which counts the batch axis, as an index into a shape without it; null: the shape does not have it. */
export function axisWithoutBatch(axis: number, rank: number): number | null {
  const index = axis < 0 ? rank + axis : axis - 1;
  return index >= 0 && index < rank ? index : null;
}
