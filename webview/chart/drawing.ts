/** Drawing that uPlot does not do: markers of different shapes, labelled lines, and values that are not finite. */
import type uPlot from 'uplot';
import type { Points } from './decimate.js';
import { envelope } from './envelope.js';
import type { Band, Level, Line, VerticalMark } from './line.js';
import { t } from '../page/strings.js';
import type { Shape, Theme } from '../page/theme.js';

/** More markers than this on one line hide it. */
const MARKERS = 80;

/** How opaque the raw values under a smoothed line are. */
export const FAINT = 0.3;

/** Draws a filled shape of about 2r pixels around (x, y). */
export function drawShape(ctx: CanvasRenderingContext2D, shape: Shape, x: number, y: number, r: number): void {
  ctx.beginPath();
  if (shape === 'circle') ctx.arc(x, y, r, 0, 2 * Math.PI);
  else for (const [dx, dy] of shapeOutline(shape)) ctx.lineTo(x + dx * r, y + dy * r);
  ctx.closePath();
  ctx.fill();
}

/** Corners of a shape in a unit circle (a circle has none). */
export function shapeOutline(shape: Shape): [number, number][] {
  switch (shape) {
    case 'circle':
      return [];
    case 'square':
      return [
        [-0.9, -0.9],
        [0.9, -0.9],
        [0.9, 0.9],
        [-0.9, 0.9],
      ];
    case 'triangle':
      return [
        [0, -1.15],
        [1.1, 0.85],
        [-1.1, 0.85],
      ];
    case 'diamond':
      return [
        [0, -1.25],
        [1.25, 0],
        [0, 1.25],
        [-1.25, 0],
      ];
    case 'cross': {
      const a = 0.4;
      return [
        [-a, -1.1],
        [a, -1.1],
        [a, -a],
        [1.1, -a],
        [1.1, a],
        [a, a],
        [a, 1.1],
        [-a, 1.1],
        [-a, a],
        [-1.1, a],
        [-1.1, -a],
        [-a, -a],
      ];
    }
    case 'star':
      return Array.from({ length: 10 }, (_, i) => {
        const radius = i % 2 ? 0.55 : 1.3;
        const angle = (i * Math.PI) / 5 - Math.PI / 2;
        return [radius * Math.cos(angle), radius * Math.sin(angle)] as [number, number];
      });
  }
}

/** CSS pixels by which the clipping area is enlarged, so that a marker on the border is drawn whole. */
const SLACK = 6;

/** Clips to the plotting area and restores afterwards. */
function inside(
  plot: uPlot,
  draw: (ctx: CanvasRenderingContext2D, ratio: number) => void,
  slack = SLACK * devicePixelRatio,
): void {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left - slack, top - slack, width + 2 * slack, height + 2 * slack);
  ctx.clip();
  ctx.textAlign = 'left';
  draw(ctx, devicePixelRatio);
  ctx.restore();
}

/** Draws the markers of lines that have them; a long line has one at its last point only. */
export function drawMarkers(plot: uPlot, lines: readonly Line[], points: readonly Points[]): void {
  inside(plot, (ctx, ratio) => {
    lines.forEach((line, i) => {
      if (!line.points) return;
      const { x, y } = points[i]!;
      ctx.fillStyle = line.colour;
      const scale = line.scale ?? 'y';
      const from = x.length > MARKERS ? x.length - 1 : 0;
      const radius = (line.scatter ? 5 : 2.6) * ratio;
      for (let k = from; k < x.length; k++) {
        const value = y[k];
        if (value === null || value === undefined) continue;
        drawShape(ctx, line.shape, plot.valToPos(x[k]!, 'x', true), plot.valToPos(value, scale, true), radius);
      }
    });
  });
}

/** Vertical lines with a label at the top: phases, changed budgets. */
export function drawMarks(plot: uPlot, marks: readonly VerticalMark[], theme: Theme): void {
  inside(plot, (ctx, ratio) => {
    const { top, height, left, width } = plot.bbox;
    ctx.font = scaled(theme.font, ratio);
    ctx.textBaseline = 'top';
    let free = -Infinity;
    for (const mark of marks) {
      const x = Math.round(plot.valToPos(mark.x, 'x', true)) + 0.5;
      if (x < left || x > left + width) continue;
      ctx.strokeStyle = theme.grid;
      ctx.lineWidth = ratio;
      ctx.setLineDash([2 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      const text = ctx.measureText(mark.label).width;
      const room = left + width - x > text + 6 * ratio;
      const start = room ? x + 4 * ratio : x - text - 4 * ratio;
      if (start < free) continue;
      free = start + text + 8 * ratio;
      ctx.fillStyle = theme.muted;
      ctx.fillText(mark.label, start, top + 2 * ratio);
    }
  });
}

/** Text on a patch of the background, readable over lines that cross it. The font is set by the caller. */
function legibleText(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, theme: Theme): void {
  const { width, actualBoundingBoxAscent: above, actualBoundingBoxDescent: below } = ctx.measureText(text);
  ctx.fillStyle = theme.background;
  ctx.globalAlpha = 0.75;
  ctx.fillRect(x - 2, y - above - 2, width + 4, above + below + 4);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.muted;
  ctx.fillText(text, x, y);
}

/** How much of the text's colour a band has: its label must stay legible on it. */
const BAND = 0.08;

/** A shaded part of the chart, from its left border on, with its label at the lower right. */
export function drawBand(plot: uPlot, band: Band | null, theme: Theme): void {
  if (!band) return;
  inside(
    plot,
    (ctx, ratio) => {
      const { left, top, width, height } = plot.bbox;
      const border = plot.valToPos(band.to, 'x', true);
      const inSight = border < left + width;
      const x = Math.min(left + width, border);
      if (!(x > left)) return;
      ctx.fillStyle = theme.foreground;
      ctx.globalAlpha = BAND;
      ctx.fillRect(left, top, x - left, height);
      ctx.globalAlpha = 1;
      // A border as well: not everyone sees colours, and High Contrast has none.
      if (inSight) {
        ctx.strokeStyle = theme.muted;
        ctx.lineWidth = ratio;
        ctx.setLineDash([6 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(Math.round(x) - 0.5, top);
        ctx.lineTo(Math.round(x) - 0.5, top + height);
        ctx.stroke();
      }
      ctx.font = scaled(theme.font, ratio);
      ctx.fillStyle = theme.muted;
      // Below the labels of marks and of the cut-off values; above those of levels.
      ctx.textBaseline = 'top';
      const label = inSight ? band.label : band.beyond;
      const gap = 6 * ratio;
      const text = ctx.measureText(label).width;
      const beside = x - left > text + 2 * gap ? x - text - gap : x + gap;
      const at = Math.max(left + gap, Math.min(beside, left + width - text - gap));
      legibleText(ctx, label, at, top + 32 * ratio, theme);
    },
    0,
  );
}

/** Notes at the top left that the curves continue above. */
export function drawCut(plot: uPlot, cut: number | null, format: (value: number) => string, theme: Theme): void {
  if (cut === null) return;
  inside(plot, (ctx, ratio) => {
    ctx.font = scaled(theme.font, ratio);
    ctx.fillStyle = theme.muted;
    ctx.textBaseline = 'top';
    legibleText(
      ctx,
      t('↑ up to {0} earlier', format(cut)),
      plot.bbox.left + 6 * ratio,
      plot.bbox.top + 16 * ratio,
      theme,
    );
  });
}

/** Horizontal dotted lines with a label at the left. */
export function drawLevels(plot: uPlot, levels: readonly Level[], theme: Theme): void {
  inside(plot, (ctx, ratio) => {
    const { left, width, top } = plot.bbox;
    ctx.font = scaled(theme.font, ratio);
    ctx.fillStyle = theme.muted;
    ctx.strokeStyle = theme.muted;
    ctx.lineWidth = ratio;
    ctx.setLineDash([ratio, 3 * ratio]);
    for (const level of levels) {
      const y = Math.round(plot.valToPos(level.y, 'y', true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
      const above = y - top > 16 * ratio;
      ctx.textBaseline = above ? 'bottom' : 'top';
      legibleText(ctx, level.label, left + 6 * ratio, y + (above ? -2 : 3) * ratio, theme);
    }
  });
}

/**
 * Draws lines with several points in most pixel columns as the bars that they paint. Stroking the zigzag would take ten times as long for the same
 * pixels.
 */
export function drawDense(plot: uPlot, { x, y, broken }: Points, line: Line, thickness: number): void {
  inside(
    plot,
    (ctx, ratio) => {
      const scale = line.scale ?? 'y';
      const { bars, links } = envelope(
        { x, y, broken },
        (value) => plot.valToPos(value, 'x', true),
        (value) => plot.valToPos(value, scale, true),
        thickness * ratio,
      );
      ctx.globalAlpha = line.faint ? FAINT : 1;
      ctx.fillStyle = ctx.strokeStyle = line.colour;
      for (let i = 0; i < bars.length; i += 3) ctx.fillRect(bars[i]!, bars[i + 1]!, 1, bars[i + 2]! - bars[i + 1]!);
      if (links.length === 0) return;
      ctx.lineWidth = thickness * ratio;
      ctx.beginPath();
      for (let i = 0; i < links.length; i += 4) {
        ctx.moveTo(links[i]!, links[i + 1]!);
        ctx.lineTo(links[i + 2]!, links[i + 3]!);
      }
      ctx.stroke();
    },
    0,
  );
}

/** A warning triangle at the top edge wherever a value is NaN or infinite: marked, never hidden. */
export function drawNotFinite(plot: uPlot, lines: readonly Line[], points: readonly Points[], theme: Theme): void {
  const places = new Set<number>();
  lines.forEach((line, i) => {
    if (line.faint) return;
    for (const x of points[i]!.broken) places.add(Math.round(plot.valToPos(x, 'x', true) / 4) * 4);
  });
  if (places.size === 0) return;
  inside(plot, (ctx, ratio) => {
    ctx.fillStyle = theme.palette[4]!;
    ctx.font = `bold ${scaled(theme.font, ratio)}`;
    for (const x of places) drawShape(ctx, 'triangle', x, plot.bbox.top + 7 * ratio, 5 * ratio);
  });
}

const scaled = (font: string, ratio: number): string => font.replace(/(\d+)px/, (_, px) => `${Number(px) * ratio}px`);
