import type uPlot from 'uplot';
import type { Points } from './decimate.js';
import type { Line } from './line.js';

/** The path through a line's points, with gaps at values that are not finite; stepped lines also have an area below. */
export function linePath(plot: uPlot, { x, y }: Points, line: Line): uPlot.Series.Paths {
  const stroke = new Path2D();
  const fill = line.stepped ? new Path2D() : null;
  const scale = line.scale ?? 'y';
  const bottom = plot.bbox.top + plot.bbox.height;
  let drawing = false;
  for (let i = 0; i < x.length; i++) {
    const value = y[i];
    if (value === null || value === undefined) {
      drawing = false;
      continue;
    }
    const px = plot.valToPos(x[i]!, 'x', true);
    const py = plot.valToPos(value, scale, true);
    if (drawing) stroke.lineTo(px, py);
    else stroke.moveTo(px, py);
    drawing = true;
    if (fill && i + 1 < x.length) {
      const next = plot.valToPos(x[i + 1]!, 'x', true);
      stroke.lineTo(next, py);
      fill.rect(px, py, next - px, bottom - py);
    }
  }
  return { stroke, fill, clip: null, band: null, flags: 0 };
}
