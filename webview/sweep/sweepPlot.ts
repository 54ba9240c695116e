import type { SweepResults, SweepRow } from '../../daemon/protocol/runs/sweepResults.js';
import { METHODS } from '../chart/tradeOff.js';
import { element } from '../page/element.js';
import { percent, percentTick } from '../page/format.js';
import { t } from '../page/strings.js';
import { svg } from '../page/svg.js';
import { shapePath } from '../page/swatch.js';
import { DASHES, runColour, runShape, type Shape, type Theme } from '../page/theme.js';
import { linearScale, logScale } from '../pathCard/pathCurve.js';
import {
  intervalOf,
  nearestPlace,
  referenceLevel,
  rowKey,
  rowText,
  sweepCurves,
  type SweepCurve,
  type SweepPoint,
} from './curves.js';

/** The same as in sweep.css. */
const HEIGHT = 320;
const BOX = { left: 52, top: 14, bottom: HEIGHT - 34 };
const RIGHT = 16;
/** Half the width of the end of an interval. */
const CAP = 4;

interface Look {
  readonly colour: string;
  readonly dash: string;
  readonly shape: Shape;
}

export const methodName = (method: string): string => METHODS.find((one) => one.method === method)?.label ?? method;

/** A curve looks like its method in every plot, unless there are several of one method. */
function lookOf(curves: readonly SweepCurve[], i: number, theme: Theme): Look {
  const { method } = curves[i]!;
  const own = METHODS.find((one) => one.method === method);
  if (own && new Set(curves.map((curve) => curve.method)).size === curves.length)
    return { colour: theme.palette[own.colour]!, dash: DASHES[own.dash]!.join(' '), shape: own.shape };
  return { colour: runColour(theme, i), dash: DASHES[i % DASHES.length]!.join(' '), shape: runShape(i) };
}

/** Mean error against kept weights, a curve for each method, with the interval of the seeds. One row is chosen: by the pointer, or with the arrow keys. */
export class SweepPlot {
  readonly plot = svg('svg', { class: 'sweep-plot', role: 'group' });
  readonly legend = element('div', { class: 'path-legend' });
  /** In pixels: the drawing is neither stretched nor scaled. */
  #width = 760;
  #knob = svg('g', { class: 'sweep-knob', role: 'slider', tabindex: 0 });
  #points: readonly SweepPoint[] = [];
  #places: (readonly [number, number])[] = [];
  #chosen = '';
  #shown: { results: SweepResults; theme: Theme } | null = null;

  /** @param choose is called with the row that the user has chosen. */
  constructor(private readonly choose: (row: SweepRow) => void) {
    this.plot.setAttribute('aria-label', t('Error against kept weights'));
    this.#knob.setAttribute('aria-label', t('Row'));
    this.#knob.append(svg('circle', { r: 10, class: 'sweep-handle' }));
    this.#knob.addEventListener('keydown', (event) => this.#keyed(event));
    this.plot.addEventListener('pointerdown', (event) => this.#pressed(event));
    new ResizeObserver(() => {
      const width = Math.round(this.plot.clientWidth);
      if (width === 0 || width === this.#width) return;
      this.#width = width;
      this.#draw();
    }).observe(this.plot);
  }

  /** @param chosen key of the chosen row. @returns whether any row has a place in the plot. */
  show(results: SweepResults, chosen: string, theme: Theme): boolean {
    this.#shown = { results, theme };
    this.#chosen = chosen;
    this.#draw();
    return this.#points.length > 0;
  }

  /** Moves the knob; the curves stay. */
  mark(chosen: string): void {
    this.#chosen = chosen;
    const at = this.#points.findIndex(({ row }) => rowKey(row) === chosen);
    this.#knob.toggleAttribute('hidden', at < 0);
    if (at < 0) return;
    const { row } = this.#points[at]!;
    const [x, y] = this.#places[at]!;
    this.#knob.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    for (const [name, value] of Object.entries({
      'aria-valuemin': 0,
      'aria-valuemax': this.#points.length - 1,
      'aria-valuenow': at,
      'aria-valuetext': rowText(row, methodName(row.method), this.#shown!.results.set),
    }))
      this.#knob.setAttribute(name, String(value));
  }

  #draw(): void {
    if (!this.#shown) return;
    const { results, theme } = this.#shown;
    const curves = sweepCurves(results.rows);
    this.#points = curves.flatMap(({ points }) => points);
    if (this.#points.length === 0) return;
    const right = this.#width - RIGHT;
    const shares = this.#points.map(({ share }) => share);
    const reference = referenceLevel(results.rows);
    const errors = this.#points.flatMap((point) => intervalOf(point) ?? point.error);
    if (reference) errors.push(reference.error);
    const x = logScale(Math.min(...shares), Math.max(...shares), BOX.left + 14, right - 14);
    const y = linearScale(Math.min(...errors), Math.max(...errors), BOX.bottom - 8, BOX.top + 8);
    const place = ({ share, error }: SweepPoint) => [x.at(share), y.at(error)] as const;
    this.#places = this.#points.map(place);
    const looks = curves.map((_, i) => lookOf(curves, i, theme));
    this.plot.replaceChildren(
      ...y.ticks.flatMap((tick) => [
        svg('path', { d: `M${BOX.left} ${y.at(tick)}H${right}`, stroke: theme.grid, 'stroke-opacity': 0.4 }),
        svg('text', { x: BOX.left - 6, y: y.at(tick) + 4, 'text-anchor': 'end', fill: theme.muted }, percentTick(tick)),
      ]),
      ...x.ticks.map((tick) =>
        svg('text', { x: x.at(tick), y: BOX.bottom + 16, 'text-anchor': 'middle', fill: theme.muted }, percentTick(tick)),
      ),
      ...(reference
        ? [svg('path', { d: `M${BOX.left} ${y.at(reference.error)}H${right}`, class: 'sweep-reference' })]
        : []),
      ...curves.flatMap((curve, i) => drawCurve(curve, looks[i]!, place, (error) => y.at(error))),
      this.#knob,
    ); // prettier-ignore
    const entries = curves.map(({ method, values }, i) =>
      legendEntry([methodName(method), values].filter(Boolean).join(' · '), curveSample(looks[i]!)),
    );
    const level =
      reference &&
      (reference.isLowest
        ? t('lowest reference {0}', percent(reference.error))
        : t('reference {0}', percent(reference.error)));
    this.legend.replaceChildren(
      ...entries,
      ...(level ? [legendEntry(level, [svg('path', { d: 'M0 6H28', class: 'sweep-reference' })])] : []),
    );
    this.mark(this.#chosen);
  }

  #keyed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now = this.#points.findIndex(({ row }) => rowKey(row) === this.#chosen);
    const last = this.#points.length - 1;
    const moves: Record<string, number> = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      Home: 0,
      End: last,
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(this.#points[Math.max(0, Math.min(last, next))]!.row);
  }

  #pressed(event: PointerEvent): void {
    if (event.button !== 0 || this.#points.length === 0) return;
    const box = this.plot.getBoundingClientRect();
    const at = nearestPlace(this.#places, event.clientX - box.left, event.clientY - box.top);
    this.choose(this.#points[at]!.row);
    event.preventDefault();
    this.#knob.focus();
  }
}

function drawCurve(
  { points }: SweepCurve,
  { colour, dash, shape }: Look,
  place: (point: SweepPoint) => readonly [number, number],
  yAt: (error: number) => number,
): SVGElement[] {
  const places = points.map(place);
  const line = places.map(([px, py], k) => `${k ? 'L' : 'M'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  return [
    svg('path', { d: line, fill: 'none', stroke: colour, 'stroke-width': 1.75, 'stroke-dasharray': dash }),
    ...points.flatMap((point, k) => {
      const [px, py] = places[k]!;
      const interval = intervalOf(point);
      const marker = svg('path', { d: shapePath(shape, px, py, 3.5), fill: colour, class: 'sweep-point' });
      marker.append(svg('title', {}, percent(point.error)));
      return [
        ...(interval ? [svg('path', { d: whisker(px, yAt(interval[0]), yAt(interval[1])), stroke: colour, class: 'sweep-interval' })] : []),
        marker,
        ...(point.row.best ? [svg('circle', { cx: px, cy: py, r: 6.5, class: 'sweep-best' })] : []),
      ];
    }),
  ];
} // prettier-ignore

const whisker = (x: number, low: number, high: number): string =>
  `M${x - CAP} ${low.toFixed(1)}h${2 * CAP}M${x} ${low.toFixed(1)}V${high.toFixed(1)}M${x - CAP} ${high.toFixed(1)}h${2 * CAP}`;

const curveSample = ({ colour, dash, shape }: Look): SVGElement[] => [
  svg('path', { d: 'M0 6H28', stroke: colour, 'stroke-width': 1.75, 'stroke-dasharray': dash }),
  svg('path', { d: shapePath(shape, 14, 6, 3.5), fill: colour }),
];

function legendEntry(text: string, sample: readonly SVGElement[]): HTMLElement {
  const picture = svg('svg', { viewBox: '0 0 28 12', width: 28, height: 12, 'aria-hidden': 'true' });
  picture.append(...sample);
  return element('span', { class: 'path-entry' }, picture, text);
}
