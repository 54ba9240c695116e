/** The vertical range of a chart: of everything in the horizontal range, or of the end of the curves. Independent of the page. */
import type { Points } from './decimate.js';
import { lowerBound } from './nearest.js';

/** One line's points on screen; the area of a stepped line begins at zero. */
export interface Spread {
  readonly points: Pick<Points, 'x' | 'y'>;
  readonly stepped?: boolean;
}

/** The last part of the window, whose values are never cut off. */
const END = 1 / 3;
/** The top is cut off only if that makes the end so many times taller. */
const WORTH = 4;

function extremes(spreads: readonly Spread[], from: number, to: number, log: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const { points, stepped } of spreads) {
    const { x, y } = points;
    // Points just outside the window only lead the line to its border and do not count.
    for (let k = lowerBound(x, from); k < x.length && x[k]! <= to; k++) {
      const value = y[k];
      if (value === null || value === undefined) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (stepped) low = Math.min(low, log ? 1 : 0);
  }
  return [low, high];
}

function padded([low, high]: readonly [number, number], log: boolean): [number, number] {
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) return [low / 1.15, high * 1.15];
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}

/**
 * @param window the visible horizontal range. @param levels always in the range, except those that a logarithmic axis cannot show.
 * @param end whether high values before the last third may be cut off, so that the end of the curves can be read.
 * @returns the range, and the highest value above it; null if nothing is cut off.
 */
export function yRange(
  spreads: readonly Spread[],
  [min, max]: readonly [number, number],
  { levels, log, end }: { readonly levels: readonly number[]; readonly log: boolean; readonly end: boolean },
): { readonly range: [number, number]; readonly cut: number | null } {
  const shown = levels.filter((level) => !log || level > 0);
  const withLevels = ([low, high]: [number, number]): [number, number] => [
    Math.min(low, ...shown),
    Math.max(high, ...shown),
  ];
  const all = extremes(spreads, min, max, log);
  const whole = padded(withLevels(all), log);
  if (!end) return { range: whole, cut: null };
  const last = extremes(spreads, max - END * (max - min), max, log);
  if (!(last[0] <= last[1])) return { range: whole, cut: null };
  // Low values at the beginning stay in the range: only the top is cut off.
  const range = padded(withLevels([Math.min(last[0], all[0]), last[1]]), log);
  const height = ([low, high]: readonly [number, number]) => (log ? Math.log(high / low) : high - low);
  return height(whole) >= WORTH * height(range) && all[1] > range[1]
    ? { range, cut: all[1] }
    : { range: whole, cut: null };
}
