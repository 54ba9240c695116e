import { CursorLabel } from './cursorLabel.js';
import { helpOn } from './helpOn.js';
import { exportMenu } from './exportMenu.js';
import { Legend } from './legend.js';
import { nearest } from '../chart/nearest.js';
import { valueTable, type ShownLine } from './valueTable.js';
import { button, element, icon } from '../page/element.js';
import { exportCsv, exportPng, exportSvg } from './exports.js';
import type { LegendEntry } from '../chart/curves.js';
import type { ChartOptions, ChartView, Line } from '../chart/line.js';
import { LineChart } from '../chart/lineChart.js';
import { t } from '../page/strings.js';
import type { Theme } from '../page/theme.js';

/** The crosshair shows a single point within this share of the width. */
const POINT_REACH = 0.02;

export interface CardOptions extends Omit<ChartOptions, 'onCursor'> {
  id: string;
  title: string;
  /** One sentence. */
  help: string;
  /** Further sentences, shown on request. */
  details?: readonly string[];
  xName: () => string;
  /** The rows are not a course of time, so the last one is not the newest: values are shown at the crosshair only. */
  timeless?: boolean;
  toggle?: (kind: string) => void;
  /** Switches between a linear and a logarithmic y axis. */
  rescale?: () => void;
  /** Switches between the whole vertical range and that of the end of the curves. */
  cutTop?: () => void;
  save: (name: string, data: Uint8Array) => void;
}

/** A chart with its title, legend, values under the crosshair, table and export. */
export class ChartCard {
  readonly root: HTMLElement;
  readonly chart: LineChart;
  #legend: Legend;
  #plot: HTMLElement;
  #table = element('div', { class: 'data-table', hidden: true, tabindex: '0' });
  #empty: HTMLElement;
  #live = element('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  #tableButton: HTMLButtonElement;
  #logButton: HTMLButtonElement | null = null;
  #endButton: HTMLButtonElement | null = null;
  #label = new CursorLabel();
  #entries: LegendEntry[] = [];
  #cursor: number | null = null;
  #keyboard = false;

  constructor(
    readonly options: CardOptions,
    private theme: Theme,
  ) {
    this.#legend = new Legend(options.toggle);
    this.#plot = element('div', {
      class: 'plot',
      tabindex: '0',
      role: 'img',
      'aria-label': options.title,
      on: { keydown: (event) => this.#key(event as KeyboardEvent), blur: () => this.#leave() },
    });
    this.#empty = element('p', { class: 'empty-chart', text: t('No values yet.') });
    this.#tableButton = button({ icon: 'table', label: t('Show {0} as a table', options.title), class: 'quiet' }, () =>
      this.#toggleTable(),
    );
    this.#tableButton.setAttribute('aria-expanded', 'false');
    const { rescale, cutTop, details = [] } = options;
    if (rescale)
      this.#logButton = button({ text: t('log'), label: t('Logarithmic scale'), class: 'quiet word' }, rescale);
    if (cutTop)
      this.#endButton = button(
        { text: t('end'), label: t('Show the end of the curves; a high beginning is cut off'), class: 'quiet word' },
        cutTop,
      );
    const help = details.length > 0 ? helpOn(options.title, options.id, details) : null;
    this.root = element(
      'section',
      { class: `card ${options.id}`, 'aria-labelledby': `title-${options.id}` },
      element(
        'header',
        {},
        element('h2', { id: `title-${options.id}`, text: options.title, title: options.help }),
        element(
          'div',
          { class: 'card-actions' },
          help?.button,
          this.#endButton,
          this.#logButton,
          this.#tableButton,
          this.#exports(),
        ),
      ),
      help?.text,
      this.#legend.root,
      this.#plot,
      this.#empty,
      this.#table,
      this.#live,
    );
    this.chart = new LineChart(this.#plot, { ...options, onCursor: (x, left) => this.#moved(x, left) }, theme);
    this.#plot.append(this.#label.root);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#legend.forget();
    this.chart.setTheme(theme);
  }

  show(view: ChartView, legend: LegendEntry[]): void {
    this.#entries = legend;
    const empty = legend.length === 0 || legend.every((entry) => entry.lines.every((line) => line.x.length === 0));
    this.#empty.hidden = !empty;
    this.#plot.hidden = empty || !this.#table.hidden;
    this.#logButton?.setAttribute('aria-pressed', String(view.logY));
    this.#endButton?.setAttribute('aria-pressed', String(view.endY ?? false));
    this.#legend.show(legend);
    this.chart.show(view);
    if (!this.#table.hidden) this.#renderTable();
    this.#plot.setAttribute('aria-label', this.#summary());
    this.#renderValues();
  }

  /** One sentence for a screen reader: the last value of every shown line. */
  #summary(): string {
    const shown = this.options.timeless ? [] : this.#shown();
    const last = shown.map(({ line, entry }) => `${line.label}: ${entry.format(line.y[line.y.length - 1]!)}`);
    return `${this.options.title}. ${this.options.help} ${last.join(', ')}`;
  }

  #shown(): ShownLine[] {
    return this.#entries
      .filter((entry) => entry.shown)
      .flatMap((entry) => entry.lines.filter((line) => line.x.length > 0).map((line) => ({ entry, line })));
  }

  /** Values at the crosshair, or the last ones. */
  #renderValues(): void {
    for (const { entry, line } of this.#shown()) {
      const rest = this.options.timeless ? -1 : line.x.length - 1;
      const at = this.#cursor === null ? rest : nearest(line.x, this.#cursor);
      this.#legend.setValue(line.id, at < 0 ? '' : entry.format(line.y[at]!));
    }
  }

  #moved(x: number | null, left: number): void {
    this.#cursor = x;
    this.#renderValues();
    // The crosshairs of the other charts follow; only the chart under the pointer has a label.
    if (x === null || !(this.#keyboard || this.#plot.matches(':hover'))) this.#label.hide();
    else this.#label.show(this.#head(x), this.#atCursor(x), left);
    if (this.#keyboard && x !== null)
      this.#live.textContent = [
        this.#head(x),
        ...this.#shown().map(({ line }) => `${line.label} ${this.#legend.valueOf(line.id)}`),
      ].join(', ');
  }

  /** "Step 1,200", or the position of the nearest value. */
  #head(x: number): string {
    const { xExact, xFormat } = this.chart.view;
    return `${this.options.xName()} ${(xExact ?? xFormat)(x)}`;
  }

  #atCursor(x: number): { line: Line; value: string }[] {
    const [min, max] = this.chart.ranges?.x ?? [0, 0];
    return this.#shown().flatMap(({ entry, line }) => {
      const at = nearest(line.x, x);
      // A single point has no value at other positions.
      const isThere = at >= 0 && (!line.scatter || Math.abs(line.x[at]! - x) <= POINT_REACH * (max - min));
      return !isThere ? [] : [{ line, value: entry.format(line.y[at]!) }];
    });
  }

  #key(event: KeyboardEvent): void {
    const move = { ArrowLeft: -8, ArrowRight: 8, PageUp: -80, PageDown: 80 }[event.key];
    if (move !== undefined) this.#drive({ pixels: event.shiftKey ? move / 8 : move });
    else if (event.key === 'Home') this.#drive({ share: 0 });
    else if (event.key === 'End') this.#drive({ share: 1 });
    else if ((event.key === '+' || event.key === '-') && this.chart.ranges) this.#zoom(event.key === '+' ? 0.5 : 2);
    else if (event.key === 'Escape') {
      this.#leave();
      this.options.onZoom?.(null);
    } else return;
    event.preventDefault();
  }

  #zoom(factor: number): void {
    const [min, max] = this.chart.ranges!.x;
    const centre = this.#cursor ?? (min + max) / 2;
    this.options.onZoom?.([centre - (centre - min) * factor, centre + (max - centre) * factor]);
  }

  #drive(move: { share: number } | { pixels: number }): void {
    this.#keyboard = true;
    this.chart.moveCursor(move);
  }

  #leave(): void {
    if (!this.#keyboard) return;
    this.#keyboard = false;
    this.chart.moveCursor(null);
    this.#live.textContent = '';
  }

  #toggleTable(): void {
    const open = this.#table.hidden;
    this.#table.hidden = !open;
    this.#plot.hidden = open;
    this.#tableButton.setAttribute('aria-expanded', String(open));
    this.#tableButton.replaceChildren(icon(open ? 'chart' : 'table'));
    const label = open ? t('Show {0} as a chart', this.options.title) : t('Show {0} as a table', this.options.title);
    this.#tableButton.setAttribute('aria-label', label);
    this.#tableButton.title = label;
    if (open) this.#renderTable();
  }

  #renderTable(): void {
    const { title, xName } = this.options;
    this.#table.replaceChildren(valueTable(title, xName(), this.chart.view.xFormat, this.#shown()));
  }

  #exports(): HTMLElement {
    const { title, id, xName, save } = this.options;
    const sheet = () => ({ title, xName: xName(), chart: this.chart, theme: this.theme });
    const lines = () => this.#shown().map(({ line }) => line);
    return exportMenu(
      title,
      [
        ['PNG', () => exportPng(sheet())],
        ['SVG', () => exportSvg(sheet())],
        ['CSV', () => exportCsv(xName(), lines())],
      ],
      (ending, data) => save(`${id}.${ending}`, data),
    );
  }
}
