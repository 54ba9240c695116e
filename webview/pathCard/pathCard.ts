import { budgetText } from '../../daemon/protocol/goalText.js';
import { chartHelp } from '../chartCard/help.js';
import { setName } from '../chart/evaluations.js';
import { helpOn } from '../chartCard/helpOn.js';
import { button, element } from '../page/element.js';
import { percent, percentTick } from '../page/format.js';
import type { RunView } from '../messages/monitor.js';
import {
  firstChoice,
  linearScale,
  logScale,
  nearestPoint,
  pathRuns,
  pointText,
  shareOf,
  type PathRun,
} from './pathCurve.js';
import { shapePath } from '../page/swatch.js';
import { t } from '../page/strings.js';
import { svg } from '../page/svg.js';
import { DASHES, runColour, SHAPES, type Theme } from '../page/theme.js';

/** The same as in pathCard.css. */
const HEIGHT = 240;
const BOX = { left: 52, top: 14, bottom: HEIGHT - 34 };
const RIGHT = 16;

/**
 * Error against kept weights of path runs. The user drags the operating point along the primary run's curve, or moves it with the arrow keys; a
 * button exports the model there.
 */
export class PathCard {
  readonly root: HTMLElement;
  #plot = svg('svg', { class: 'path-plot' });
  /** In pixels: the drawing is neither stretched nor scaled. */
  #width = 760;
  #knob = svg('g', { class: 'path-knob', role: 'slider', tabindex: 0 });
  #text = element('p', { class: 'path-text' });
  /** A slider over the points, for choosing one with the keyboard or a pointer. */
  #range = element('input', {
    type: 'range',
    min: 0,
    step: 1,
    on: { input: () => this.#choose(Number(this.#range.value)) },
  });
  #budget = element('output', { class: 'path-budget' });
  #legend = element('div', { class: 'path-legend' });
  #button: HTMLButtonElement;
  /** Index of the chosen point by run; absent: the user has not chosen. */
  #chosen = new Map<string, number>();
  #run: PathRun | null = null;
  #theme: Theme | null = null;
  #runs: readonly PathRun[] = [];
  #x = logScale(0.01, 1, 0, 1);
  #key = '';

  constructor(exportPoint: (run: string, point: number) => void) {
    this.#button = button(
      { icon: 'save', text: t('Export this point...'), label: t('Export the model of this point'), class: 'primary' },
      () => this.#run && exportPoint(this.#run.view.id, this.#current().point),
    );
    const title = t('Path: error against kept weights');
    const help = helpOn(title, 'path', chartHelp().path);
    this.root = element(
      'section',
      { class: 'card path-card', 'aria-labelledby': 'title-path', hidden: true },
      element(
        'header',
        {},
        element('h2', { id: 'title-path', text: title }),
        element('div', { class: 'card-actions' }, help.button),
      ),
      help.text,
      this.#legend,
      this.#plot,
      element('label', { class: 'path-slider' }, element('span', { text: t('Budget') }), this.#range, this.#budget),
      element('div', { class: 'path-choice' }, this.#text, this.#button),
    );
    this.#knob.setAttribute('aria-label', t('Operating point'));
    this.#knob.addEventListener('keydown', (event) => this.#keyed(event));
    new ResizeObserver(() => {
      const width = Math.round(this.#plot.clientWidth);
      if (width === 0 || width === this.#width) return;
      this.#width = width;
      if (this.#run) this.#draw();
    }).observe(this.#plot);
    this.#plot.addEventListener('pointerdown', (event) => this.#grab(event));
    this.#plot.addEventListener('pointermove', (event) => event.buttons === 1 && this.#dragged(event));
  }

  /** @param primary the run whose points can be chosen, if it is a path; else the first path run. */
  show(views: readonly RunView[], primary: string | null, trusted: boolean, theme: Theme): void {
    this.#runs = pathRuns(views);
    this.#run = this.#runs.find(({ view }) => view.id === primary) ?? this.#runs[0] ?? null;
    this.root.hidden = this.#run === null;
    this.#button.disabled = !trusted;
    if (!this.#run) return;
    const key = JSON.stringify(
      this.#runs.map(({ view, points, path }) => [view.id, view.colour, points, path.answer, view.referenceError]),
    );
    if (key === this.#key && theme === this.#theme) return;
    this.#key = key;
    this.#theme = theme;
    this.#draw();
  }

  #current() {
    const { view, points } = this.#run!;
    const chosen = this.#chosen.get(view.id);
    return points.find(({ point }) => point === chosen) ?? firstChoice(this.#run!);
  }

  #draw(): void {
    const theme = this.#theme!;
    const right = this.#width - RIGHT;
    const points = this.#runs.flatMap((run) => run.points);
    const shares = points.map(shareOf);
    const reference = this.#run!.view.referenceError;
    const errors = [...points.map(({ retrained }) => retrained.error!), ...(reference === null ? [] : [reference])];
    this.#x = logScale(Math.min(...shares), Math.max(...shares), BOX.left + 14, right - 14);
    const y = linearScale(Math.min(...errors), Math.max(...errors), BOX.bottom - 8, BOX.top + 8);
    this.#plot.replaceChildren(
      ...y.ticks.flatMap((tick) => [
        svg('path', { d: `M${BOX.left} ${y.at(tick)}H${right}`, stroke: theme.grid, 'stroke-opacity': 0.4 }),
        svg('text', { x: BOX.left - 6, y: y.at(tick) + 4, 'text-anchor': 'end', fill: theme.muted }, percentTick(tick)),
      ]),
      ...this.#x.ticks.map((tick) =>
        svg(
          'text',
          { x: this.#x.at(tick), y: BOX.bottom + 16, 'text-anchor': 'middle', fill: theme.muted },
          percentTick(tick),
        ),
      ),
      ...(reference === null
        ? []
        : [
            svg('path', {
              d: `M${BOX.left} ${y.at(reference)}H${right}`,
              stroke: theme.foreground,
              'stroke-dasharray': '1 3',
            }),
          ]),
      ...this.#runs.flatMap((run, i) => this.#curve(run, i, (error) => y.at(error))),
      this.#knob,
    );
    this.#knob.replaceChildren(
      svg('path', { d: `M0 ${BOX.top}V${BOX.bottom}`, stroke: theme.foreground, 'stroke-width': 1.5 }),
      svg('circle', {
        r: 7,
        fill: theme.background,
        stroke: theme.foreground,
        'stroke-width': 2,
        class: 'path-handle',
      }),
    );
    this.#legend.replaceChildren(...this.#runs.map((run, i) => this.#entry(run, i)));
    this.#place((error) => y.at(error));
  }

  #curve({ view, points }: PathRun, i: number, yAt: (error: number) => number): SVGElement[] {
    const colour = this.#colour(view);
    const places = points.map((point) => [this.#x.at(shareOf(point)), yAt(point.retrained.error!)] as const);
    return [
      svg('path', {
        d: places.map(([px, py], k) => `${k ? 'L' : 'M'}${px.toFixed(1)} ${py.toFixed(1)}`).join(''),
        fill: 'none',
        stroke: colour,
        'stroke-width': 1.75,
        'stroke-dasharray': DASHES[i % DASHES.length]!.join(' '),
      }),
      ...places.map(([px, py]) => svg('path', { d: shapePath(SHAPES[i % SHAPES.length]!, px, py, 3.5), fill: colour })),
    ];
  }

  #entry({ view, path }: PathRun, i: number): HTMLElement {
    const sample = svg('svg', { viewBox: '0 0 28 12', width: 28, height: 12, 'aria-hidden': 'true' });
    const colour = this.#colour(view);
    const dash = DASHES[i % DASHES.length]!.join(' ');
    sample.append(
      svg('path', { d: 'M0 6H28', stroke: colour, 'stroke-width': 1.75, 'stroke-dasharray': dash }),
      svg('path', { d: shapePath(SHAPES[i % SHAPES.length]!, 14, 6, 3.5), fill: colour }),
    );
    const progress = path.answer ? '' : t(' ({0} of {1} budgets)', path.points.length, path.total);
    return element('span', { class: 'path-entry' }, sample, `${view.name}${progress}`);
  }

  #colour(view: RunView): string {
    return runColour(this.#theme!, view.colour);
  }

  /** Moves the knob and the text to the current point; the curve stays. */
  #place(yAt: (error: number) => number): void {
    const point = this.#current();
    const { points, view, path } = this.#run!;
    const index = points.indexOf(point);
    this.#yAt = yAt;
    this.#knob.setAttribute('transform', `translate(${this.#x.at(shareOf(point)).toFixed(1)} 0)`);
    this.#knob.querySelector('circle')!.setAttribute('cy', yAt(point.retrained.error!).toFixed(1));
    const text = pointText(point, view);
    for (const [name, value] of Object.entries({
      'aria-valuemin': 0,
      'aria-valuemax': points.length - 1,
      'aria-valuenow': index,
      'aria-valuetext': text,
      'data-point': point.point,
    }))
      this.#knob.setAttribute(name, String(value));
    this.#range.max = String(points.length - 1);
    this.#range.value = String(index);
    this.#range.setAttribute('aria-valuetext', text);
    this.#budget.textContent = budgetText(point.budget);
    const { answer } = path;
    const why =
      answer?.point !== point.point
        ? ''
        : answer.met && answer.maxErrorIncrease !== null
          ? ` ${t('The smallest within {0} of the reference, by the {1} part.', percent(answer.maxErrorIncrease), setName(answer.set))}`
          : answer.met && typeof answer.maxError === 'number'
            ? ` ${t('The smallest with at most {0} error, by the {1} part.', percent(answer.maxError), setName(answer.set))}`
            : ` ${t('The result of the run.')}`;
    this.#text.textContent = `${text}.${why}`;
  }

  #yAt: (error: number) => number = () => 0;

  #choose(index: number): void {
    const { view, points } = this.#run!;
    const point = points[Math.max(0, Math.min(points.length - 1, index))]!;
    this.#chosen.set(view.id, point.point);
    this.#place(this.#yAt);
  }

  #keyed(event: KeyboardEvent): void {
    if (!this.#run) return;
    const now = this.#run.points.indexOf(this.#current());
    const moves: Record<string, number> = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      Home: 0,
      End: this.#run.points.length - 1,
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#choose(next);
  }

  #grab(event: PointerEvent): void {
    if (event.button !== 0 || !this.#run) return;
    this.#plot.setPointerCapture(event.pointerId);
    this.#dragged(event);
    this.#knob.focus();
  }

  #dragged(event: PointerEvent): void {
    if (!this.#run) return;
    const box = this.#plot.getBoundingClientRect();
    const place = ((event.clientX - box.left) / Math.max(1, box.width)) * this.#width;
    this.#choose(nearestPoint(this.#run.points, this.#x.of(place)));
  }
}
