import type { CompressionTask, Range } from './compression.js';

/** Number of weights in the ranges. */
export const viewSize = (ranges: readonly Range[]): number =>
  ranges.reduce((total, { start, end }) => total + end - start, 0);

/** Copies the ranges of a flat vector, concatenated, into `out` (of viewSize(ranges) weights). */
export function gather(flat: Float32Array, ranges: readonly Range[], out: Float32Array): void {
  let at = 0;
  for (const { start, end } of ranges) {
    out.set(flat.subarray(start, end), at);
    at += end - start;
  }
}

/** The inverse of gather: writes `view` back into the ranges of a flat vector. */
export function scatter(view: Float32Array, ranges: readonly Range[], flat: Float32Array): void {
  let at = 0;
  for (const { start, end } of ranges) {
    flat.set(view.subarray(at, at + end - start), start);
    at += end - start;
  }
}

/** Joins adjacent ranges: a single range needs no copy. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last && last.end === range.start) joined[joined.length - 1] = { start: last.start, end: range.end };
    else if (range.end > range.start) joined.push({ start: range.start, end: range.end });
  }
  return joined;
}

/** Every range of every task, for loops that treat all compressed weights alike. */
export const taskRanges = (tasks: readonly CompressionTask[]): Range[] =>
  tasks.flatMap((task) => joinRanges(task.ranges));
