/** A line chart as a self-contained SVG, for reports and docs that load nothing. */
import { scientific, significant } from '../protocol/format.js';

export interface Series {
  readonly name: string;
  /** Points in order of x; a y that is not finite leaves a gap. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Points only, no line. */
  readonly markers?: boolean;
}

export interface CurveOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
}

// Okabe & Ito's palette, distinguishable with any colour vision. Dashes repeat the distinction without colour.
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
const DASHES = ['', '6 3', '2 2', '8 3 2 3', '1 3', '10 4'];
/** Paths of a radius of about 1 around the origin: circle, square, triangle, diamond, plus, cross. */
const MARKERS = [
  'M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z',
  'M-.9-.9H.9V.9H-.9Z',
  'M0-1.2L1.1.9H-1.1Z',
  'M0-1.3L1.3 0 0 1.3-1.3 0Z',
  'M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z',
  'M-1.2-.6L-.6-1.2 0-.6 .6-1.2 1.2-.6 .6 0 1.2.6 .6 1.2 0 .6-.6 1.2-1.2.6-.6 0Z',
];
const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { left: 64, right: 16, top: 32, bottom: 44 };

export const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function niceStep(span: number): number {
  const raw = span / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

function ticks(low: number, high: number, log: boolean): number[] {
  if (log) {
    const powers: number[] = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
      for (const factor of [1, 2, 5]) powers.push(factor * 10 ** p);
    const inside = powers.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    return inside.length > 8
      ? inside.filter((value) => Number.isInteger(Math.round(1e6 * Math.log10(value)) / 1e6))
      : inside;
  }
  const step = niceStep(high - low || Math.abs(high) || 1);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

const label = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? scientific(value, 0) : significant(value, 3);

/** Axis scale: data -> pixels. */
function scale(
  values: readonly number[],
  log: boolean,
  from: number,
  to: number,
): { at(value: number): number; ticks: number[] } {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (low === high)
    [low, high] = log ? [low / 2, high * 2] : [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const of = log ? Math.log10 : (value: number) => value;
  return {
    at: (value) => from + ((of(value) - of(low)) / (of(high) - of(low))) * (to - from),
    ticks: ticks(low, high, log),
  };
}

const marker = (series: number, cx: number, cy: number, size: number): string =>
  `<path d="${MARKERS[series % MARKERS.length]}" transform="translate(${cx.toFixed(1)} ${cy.toFixed(1)}) scale(${size})" fill="${COLOURS[series % COLOURS.length]}"/>`;

/** @returns an `<svg>` element; text only when there is nothing to draw. */
export function curveSvg(series: readonly Series[], options: CurveOptions): string {
  const usable = (x: number, y: number) =>
    Number.isFinite(x) && Number.isFinite(y) && (!options.logX || x > 0) && (!options.logY || y > 0);
  const points = series.flatMap((one) => one.points.filter(([x, y]) => usable(x, y)));
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(options.title)}" font-family="system-ui, sans-serif" font-size="12">`;
  const title = `<text x="${MARGIN.left}" y="18" font-weight="600" fill="currentColor">${escapeXml(options.title)}</text>`;
  if (points.length === 0)
    return `${open}${title}<text x="${MARGIN.left}" y="60" fill="currentColor">no points</text></svg>`;
  const x = scale(
    points.map((point) => point[0]),
    options.logX ?? false,
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = scale(
    points.map((point) => point[1]),
    options.logY ?? false,
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const px = (value: number) => value.toFixed(1);
  const grid = [
    ...x.ticks.map(
      (value) =>
        `<text x="${px(x.at(value))}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle" fill="currentColor">${label(value)}</text>`,
    ),
    ...y.ticks.map(
      (value) =>
        `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${px(y.at(value))}" y2="${px(y.at(value))}" stroke="currentColor" stroke-opacity="0.15"/><text x="${MARGIN.left - 6}" y="${px(y.at(value) + 4)}" text-anchor="end" fill="currentColor">${label(value)}</text>`,
    ),
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle" fill="currentColor">${escapeXml(options.x)}</text>`,
    `<text transform="translate(14 ${(MARGIN.top + HEIGHT - MARGIN.bottom) / 2}) rotate(-90)" text-anchor="middle" fill="currentColor">${escapeXml(options.y)}</text>`,
  ];
  const lines = series.map((one, i) => {
    const colour = COLOURS[i % COLOURS.length];
    let pen = false;
    const path = one.points
      .map(([px0, py0]) => {
        if (!usable(px0, py0)) {
          pen = false;
          return '';
        }
        const command = `${pen ? 'L' : 'M'}${px(x.at(px0))} ${px(y.at(py0))}`;
        pen = true;
        return command;
      })
      .join('');
    const dots = one.points
      .filter(([a, b]) => usable(a, b) && (one.markers || one.points.length <= 40))
      .map(([a, b]) => marker(i, x.at(a), y.at(b), one.markers ? 4 : 2));
    const line = one.markers
      ? ''
      : `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8" stroke-dasharray="${DASHES[i % DASHES.length]}"/>`;
    const sample = one.markers
      ? marker(i, 11, 0, 4)
      : `<line x2="22" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[i % DASHES.length]}"/>`;
    const legend = `<g transform="translate(${WIDTH - MARGIN.right - 150} ${MARGIN.top + 6 + 16 * i})">${sample}<text x="28" y="4" fill="currentColor">${escapeXml(one.name)}</text></g>`;
    return line + dots.join('') + legend;
  });
  return `${open}${title}${grid.join('')}${lines.join('')}</svg>`;
}
