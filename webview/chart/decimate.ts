import { bucketRows } from '../../daemon/protocol/telemetry/downsample.js';
import { lowerBound } from './nearest.js';

export interface Points {
  x: number[];
  /** null: not a finite number, drawn as a gap. */
  y: (number | null)[];
  /** x of the values that are not finite; at least one for each pixel column that has any. */
  broken: number[];
}

/**
 * The points of a line that are needed to draw it `width` pixels wide between min and max: every pixel column is a bucket that
 * keeps its ends (`bucketRows`), which gives the same picture as all points. One point beyond each end stays, so the line
 * reaches the border.
 */
export function decimate(x: Float64Array, y: Float64Array, min: number, max: number, width: number): Points {
  const from = Math.max(0, lowerBound(x, min) - 1);
  let to = lowerBound(x, max);
  while (to < x.length && x[to]! <= max) to++;
  to = Math.min(x.length, to + 1);
  const points: Points = { x: [], y: [], broken: [] };
  const put = (i: number) => {
    const finite = Number.isFinite(y[i]!);
    points.x.push(x[i]!);
    points.y.push(finite ? y[i]! : null);
    if (!finite) points.broken.push(x[i]!);
  };
  if (to - from <= width * 4) {
    for (let i = from; i < to; i++) put(i);
    return points;
  }
  const perPixel = width / (max - min || 1);
  for (let start = from; start < to;) {
    const border = min + (Math.floor((x[start]! - min) * perPixel) + 1) / perPixel;
    const end = firstBeyond(x, start, to, border);
    for (const row of bucketRows(y, start, end, true)) put(row);
    start = end;
  }
  return points;
}

/** Index in (start, to] of the first x >= border after `start`. It is usually near, so the search uses growing strides. */
function firstBeyond(x: Float64Array, start: number, to: number, border: number): number {
  let low = start;
  let stride = 16;
  while (low + stride < to && x[low + stride]! < border) {
    low += stride;
    stride *= 2;
  }
  let high = Math.min(to, low + stride);
  low++;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! < border) low = middle + 1;
    else high = middle;
  }
  return low;
}
