/** Sensitivity analysis: the error of each layer pruned alone to its largest weights, and floors derived from it. Pure. */
import { keepLargest } from './projections/select.js';
import { shareOf } from './share.js';

/** One layer pruned to a share of its weights, all others unpruned. */
export interface SensitivityPoint {
  readonly share: number;
  /** null: not finite. */
  readonly error: number | null;
}

/** Copies `w` with only the ceil(share n) largest of the ranges' n weights, at least one. One-shot magnitude pruning. */
export function withLargest(
  w: Float32Array,
  ranges: readonly { readonly start: number; readonly end: number }[],
  share: number,
): Float32Array {
  const layer = new Float32Array(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
  let at = 0;
  for (const { start, end } of ranges) {
    layer.set(w.subarray(start, end), at);
    at += end - start;
  }
  keepLargest(layer, Math.max(1, shareOf(share, layer.length)), layer);
  const result = w.slice();
  at = 0;
  for (const { start, end } of ranges) {
    result.set(layer.subarray(at, at + end - start), start);
    at += end - start;
  }
  return result;
}

/** The least share from which on, going down from 1, every measured error is at most `bound`; 1 if the first is not. */
export function neededShare(points: readonly SensitivityPoint[], bound: number): number {
  let needed = 1;
  for (const { share, error } of [...points].sort((a, b) => b.share - a.share)) {
    if (error === null || error > bound) break;
    needed = share;
  }
  return needed;
}

const HALVINGS = 30;

/**
 * Floors proportional to the layers' needs, as large as possible while at least half of the budget's weights remain free. The needs are measured
 * without retraining, so they are too high.
 * @param accepts whether the budget accepts these floors. @returns shares by layer; null if it accepts none.
 */
export function suggestFloors(
  needs: ReadonlyMap<string, number>,
  accepts: (floors: ReadonlyMap<string, number>) => boolean,
): Map<string, number> | null {
  const scaled = (factor: number) => new Map([...needs].map(([layer, share]) => [layer, Math.min(1, factor * share)]));
  for (let halving = 0, factor = 1; halving < HALVINGS; halving++, factor /= 2) {
    if (accepts(scaled(2 * factor))) return scaled(factor);
  }
  return null;
}
