/**
 * A line with several points in every pixel column, as bars from its lowest to its highest point in each column. Filling bars costs a fraction of
 * stroking the zigzag that covers the same pixels.
 */
import type { Points } from './decimate.js';

export interface Envelope {
  /** Bars, three numbers each: left edge (a whole pixel), top and bottom. All are one pixel wide. */
  bars: number[];
  /** Segments over columns without a point, four numbers each: x and y of both ends. */
  links: number[];
}

/**
 * @param points in order of x; null y is a gap.
 * @param toX, toY data to pixels (y grows downwards).
 * @param thickness of the line, pixels: half of it lies on either side.
 */
export function envelope(
  { x, y }: Points,
  toX: (value: number) => number,
  toY: (value: number) => number,
  thickness: number,
): Envelope {
  const half = thickness / 2;
  const bars: number[] = [];
  const links: number[] = [];
  let column = NaN;
  let low = 0;
  let high = 0;
  /** Where the line is after the last point; NaN after a gap. */
  let lastX = NaN;
  let lastY = NaN;
  const close = () => {
    if (!Number.isNaN(column)) bars.push(column, low - half, high + half);
    column = NaN;
  };
  for (let i = 0; i < x.length; i++) {
    const value = y[i];
    if (value === null || value === undefined) {
      close();
      lastX = lastY = NaN;
      continue;
    }
    const px = toX(x[i]!);
    const py = toY(value);
    const at = Math.floor(px);
    if (at === column) {
      low = Math.min(low, py);
      high = Math.max(high, py);
    } else {
      const next = at === column + 1;
      close();
      column = at;
      // Neighbouring bars join; over empty columns the line goes straight.
      low = next ? Math.min(py, lastY) : py;
      high = next ? Math.max(py, lastY) : py;
      if (!next && !Number.isNaN(lastX)) links.push(lastX, lastY, px, py);
    }
    lastX = px;
    lastY = py;
  }
  close();
  return { bars, links };
}
