/** Floors of layers as numbers: the floor at a position on the axis, changes by keys, the sum of all floors. Independent of the page. */
import * as format from '../../daemon/protocol/format.js';
import type { LayerSensitivity } from '../../daemon/protocol/layers/sensitivity.js';

/** Left of this position there is no floor. */
export const LEAST = 0.001;

/** A dragged floor has two significant digits. */
export const rounded = (share: number): number => (share < LEAST ? 0 : Math.min(1, format.rounded(share, 2)));

/** The floors that the keys step through. */
const STOPS = [0, ...[0.001, 0.01, 0.1].flatMap((power) => [1, 1.5, 2, 3, 4, 5, 7].map((digit) => digit * power)), 1].map((stop) => format.rounded(stop, 2)); // prettier-ignore
/** Page Up and Page Down move by so many of them. */
const PAGE = 4;

/** The floor after a key; null: the key has no effect here. */
export function afterKey(key: string, floor: number): number | null {
  const above = STOPS.findIndex((stop) => stop > floor * (1 + 1e-9));
  const up = above < 0 ? STOPS.length - 1 : above;
  const below = STOPS.findLastIndex((stop) => stop < floor * (1 - 1e-9));
  const down = Math.max(0, below);
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return STOPS[up]!;
    case 'ArrowLeft':
    case 'ArrowDown':
      return STOPS[down]!;
    case 'PageUp':
      return STOPS[Math.min(STOPS.length - 1, up + PAGE - 1)]!;
    case 'PageDown':
      return STOPS[Math.max(0, down - PAGE + 1)]!;
    case 'Home':
      return 0;
    case 'End':
      return 1;
    default:
      return null;
  }
}

/**
 * Number of weights that a floor keeps, counted as the budget counts them (`shareOf` of daemon/lc): a fraction counts as one more, a rounding error
 * does not.
 */
export function heldBy({ weights }: Pick<LayerSensitivity, 'weights'>, floor: number): number {
  const exact = floor * weights;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) <= 1e-14 * exact ? nearest : Math.ceil(exact);
}

/** The measured points and the whole layer, from the smallest share to the largest; values that are not finite are left out. */
export function curveOf({ points }: Pick<LayerSensitivity, 'points'>, reference: number | null): { share: number; error: number }[] {
  return [...points, { share: 1, error: reference }]
    .flatMap(({ share, error }) => (error === null ? [] : [{ share, error }]))
    .sort((a, b) => a.share - b.share);
} // prettier-ignore

/** The error at a share, interpolated between two measured ones along the logarithm of the share; null below all of them. */
export function errorAt(curve: readonly { share: number; error: number }[], share: number): number | null {
  const above = curve.findIndex((point) => point.share >= share * (1 - 1e-9));
  const [low, high] = [curve[above - 1], curve[above]];
  if (!high) return null;
  if (Math.abs(high.share - share) <= 1e-9 * share) return high.error;
  if (!low) return null;
  const part = Math.log(share / low.share) / Math.log(high.share / low.share);
  return low.error + part * (high.error - low.error);
}
