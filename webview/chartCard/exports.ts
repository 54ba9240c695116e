/** Writes a chart to a file: PNG and SVG as on screen, CSV with every value. */
import { csvField } from '../../daemon/protocol/telemetry/csvField.js';
import { niceStep } from '../chart/axisSplits.js';
import type { Line } from '../chart/line.js';
import type { LineChart } from '../chart/lineChart.js';
import { shapePath } from '../page/swatch.js';
import { DASHES, type Theme } from '../page/theme.js';
import { rounded } from '../../daemon/protocol/format.js';

export interface Sheet {
  title: string;
  xName: string;
  chart: LineChart;
  theme: Theme;
}

const TITLE = 20;
const LEGEND = 18;

/** The drawn canvas on the editor's background, with title and legend. */
export async function exportPng({ title, chart, theme }: Sheet): Promise<Uint8Array> {
  const source = chart.canvas;
  if (!source) throw new Error('Nothing drawn yet.');
  const ratio = devicePixelRatio;
  const head = (TITLE + LEGEND) * ratio;
  const canvas = document.createElement('canvas');
  canvas.width = source.width;
  canvas.height = source.height + head;
  const ctx = canvas.getContext('2d')!;
  ctx.fillStyle = theme.background;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(source, 0, head);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = theme.foreground;
  ctx.font = theme.font.replace('11px', 'bold 13px');
  ctx.fillText(title, 8, TITLE - 4);
  ctx.font = theme.font;
  let x = 8;
  for (const line of chart.view.lines) {
    if (line.faint) continue;
    ctx.strokeStyle = line.colour;
    ctx.lineWidth = 2;
    ctx.setLineDash(DASHES[line.dash]!);
    ctx.beginPath();
    ctx.moveTo(x, TITLE + 8);
    ctx.lineTo(x + 18, TITLE + 8);
    ctx.stroke();
    ctx.fillStyle = theme.foreground;
    ctx.fillText(line.label, x + 22, TITLE + 12);
    x += 36 + ctx.measureText(line.label).width;
  }
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) throw new Error('The image is too large.');
  return new Uint8Array(await blob.arrayBuffer());
}

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** Even or power-of-ten ticks of a range. */
function ticks([min, max]: [number, number], log: boolean): number[] {
  const out: number[] = [];
  if (log && max / min >= 10) {
    for (let e = Math.ceil(Math.log10(min)); 10 ** e <= max; e++) out.push(10 ** e);
    return out;
  }
  const step = niceStep((max - min || 1) / 5);
  for (let v = Math.ceil(min / step) * step; v <= max + step / 1e6; v += step) out.push(rounded(v, 12));
  return out;
}

/** The points on screen as a standalone vector drawing. */
export function exportSvg({ title, xName, chart, theme }: Sheet): Uint8Array {
  const ranges = chart.ranges;
  if (!ranges) throw new Error('Nothing drawn yet.');
  const { view, options } = chart;
  const width = 800;
  const height = 400;
  const box = { left: 64, top: 56, width: width - 64 - (ranges.y2 ? 60 : 16), height: height - 56 - 48 };
  const log = { x: options.xLog ?? false, y: view.logY, y2: options.y2Log ?? false };
  const place = (value: number, [min, max]: [number, number], isLog: boolean) =>
    isLog ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min || 1);
  const px = (value: number) => (box.left + place(value, ranges.x, log.x) * box.width).toFixed(1);
  const py = (value: number, scale: 'y' | 'y2') =>
    (box.top + (1 - place(value, ranges[scale]!, log[scale])) * box.height).toFixed(1);
  const text = (x: number | string, y: number | string, content: string, extra = '') =>
    `<text x="${x}" y="${y}" fill="${theme.foreground}" ${extra}>${escape(content)}</text>`;
  const parts: string[] = [];
  for (const v of ticks(ranges.x, log.x))
    parts.push(text(px(v), box.top + box.height + 18, view.xFormat(v), 'text-anchor="middle"'));
  for (const v of ticks(ranges.y, log.y)) {
    const y = py(v, 'y');
    parts.push(`<path d="M${box.left} ${y}h${box.width}" stroke="${theme.foreground}" stroke-opacity="0.15"/>`);
    parts.push(text(box.left - 6, Number(y) + 4, (options.yTick ?? options.yFormat)(v), 'text-anchor="end"'));
  }
  if (ranges.y2)
    for (const v of ticks(ranges.y2, log.y2))
      parts.push(text(box.left + box.width + 6, Number(py(v, 'y2')) + 4, (options.y2Format ?? options.yFormat)(v)));
  parts.push(text(box.left + box.width / 2, height - 10, xName, 'text-anchor="middle"'));
  for (const level of view.levels) {
    parts.push(
      `<path d="M${box.left} ${py(level.y, 'y')}h${box.width}" stroke="${theme.foreground}" stroke-dasharray="1 3"/>`,
    );
    parts.push(text(box.left + 6, Number(py(level.y, 'y')) - 4, level.label));
  }
  let legend = box.left;
  view.lines.forEach((line, i) => {
    const { x, y } = chart.points[i]!;
    const scale = line.scale ?? 'y';
    let path = '';
    let pen = false;
    x.forEach((value, k) => {
      const v = y[k];
      if (v === null || v === undefined) {
        pen = false;
        return;
      }
      const start = pen ? 'L' : 'M';
      path += line.stepped && pen ? `H${px(value)}V${py(v, scale)}` : `${start}${px(value)} ${py(v, scale)}`;
      pen = true;
      if (line.points && x.length <= 80)
        parts.push(
          `<path d="${shapePath(line.shape, Number(px(value)), Number(py(v, scale)), 3.5)}" fill="${line.colour}"/>`,
        );
    });
    if (!line.scatter)
      parts.push(
        `<path d="${path}" fill="none" stroke="${line.colour}" stroke-width="${line.faint ? 1 : 1.75}" stroke-opacity="${line.faint ? 0.3 : 1}" stroke-dasharray="${DASHES[line.dash]!.join(' ')}" clip-path="url(#plot)"/>`,
      );
    if (line.faint) return;
    parts.push(
      `<path d="M${legend} 38h18" stroke="${line.colour}" stroke-width="2" stroke-dasharray="${DASHES[line.dash]!.join(' ')}"/>`,
    );
    parts.push(text(legend + 22, 42, line.label));
    legend += 40 + line.label.length * 6.2;
  });
  return new TextEncoder().encode(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="${width}" height="${height}" fill="${theme.background}"/>
<clipPath id="plot"><rect x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}"/></clipPath>
${text(box.left, 20, title, 'font-size="14" font-weight="bold"')}
${parts.join('\n')}
</svg>
`,
  );
}

/** All values of the lines, long form: line, x, y. Fields are quoted if needed; NaN and Infinity are written as such. */
export function exportCsv(xName: string, lines: readonly Line[]): Uint8Array {
  const rows = [`series,${csvField(xName)},value`];
  for (const line of lines)
    for (let i = 0; i < line.x.length; i++) rows.push(`${csvField(line.label)},${line.x[i]},${line.y[i]}`);
  return new TextEncoder().encode(`${rows.join('\n')}\n`);
}
