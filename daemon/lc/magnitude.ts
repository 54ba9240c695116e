import type { Range } from './compression.js';
import { countNonZeros, keepLargest } from './select.js';
import { gather, joinRanges, scatter, viewSize } from './view.js';
import { shareOf } from './share.js';

/**
 * Magnitude pruning over all ranges together: theta = w on the kappa largest |w|, 0 on the other weights of the ranges.
 * theta may be w. Nothing outside the ranges is written. @throws RangeError as keepLargest.
 */
export function pruneByMagnitude(w: Float32Array, ranges: readonly Range[], kappa: number, theta: Float32Array): void {
  const joined = joinRanges(ranges);
  const [only] = joined;
  if (only && joined.length === 1) {
    keepLargest(w.subarray(only.start, only.end), kappa, theta.subarray(only.start, only.end));
    return;
  }
  const view = new Float32Array(viewSize(joined));
  gather(w, joined, view);
  keepLargest(view, kappa, view);
  scatter(view, joined, theta);
}

/** Magnitude pruning of each range by itself: keeps ceil(share * size) weights of each. */
export function pruneEachByMagnitude(
  w: Float32Array,
  ranges: readonly Range[],
  share: number,
  theta: Float32Array,
): void {
  for (const { start, end } of ranges) {
    keepLargest(w.subarray(start, end), shareOf(share, end - start), theta.subarray(start, end));
  }
}

/** Non-zero weights of theta in a range. */
export const keptIn = (theta: Float32Array, { start, end }: Range): number => countNonZeros(theta.subarray(start, end));
