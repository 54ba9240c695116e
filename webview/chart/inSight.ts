/** The visible range of a chart's lines, and the points that draw them. */
import { decimate, type Points } from './decimate.js';
import type { Line } from './line.js';

/** The x axis that has room for all lines; [0, 1] where there is nothing. */
export function wholeRange(lines: readonly Line[], isLog: boolean): [number, number] {
  let min = Infinity;
  let max = -Infinity;
  for (const { x } of lines) {
    if (x.length === 0) continue;
    min = Math.min(min, x[0]!);
    max = Math.max(max, x[x.length - 1]!);
  }
  if (!(min <= max)) return [0, 1];
  if (isLog) return [min / 1.3, max * 1.3];
  return min === max ? [min - 0.5, max + 0.5] : [min, max];
}

const all = (line: Line): Points => ({
  x: Array.from(line.x),
  y: Array.from(line.y, (y) => (Number.isFinite(y) ? y : null)),
  broken: Array.from(line.x).filter((_, i) => !Number.isFinite(line.y[i]!)),
});

/** The points that draw a line between these ends. @param width pixels. @param isLog of the y axis. */
export function pointsInSight(
  line: Line,
  [min, max]: readonly [number, number],
  width: number,
  isLog: boolean,
): Points {
  const points = line.stepped ? all(line) : decimate(line.x, line.y, min, max, width);
  // A logarithmic axis cannot show values <= 0.
  if (isLog) points.y = points.y.map((y) => (y !== null && y <= 0 ? null : y));
  return points;
}
