import { downsample } from '../../daemon/protocol/telemetry/downsample.js';
import { CursorLabel } from './cursorLabel.js';
import { helpOn } from './helpOn.js';
import { nearest } from './decimate.js';
import { button, element, icon } from '../page/element.js';
import { exportCsv, exportPng, exportSvg } from '../monitor/exports.js';
import type { LegendEntry } from './curves.js';
import type { ChartOptions, ChartView, Line } from './line.js';
import { LineChart } from './lineChart.js';
import { swatch } from '../page/swatch.js';
import { t } from '../page/strings.js';
import type { Theme } from '../page/theme.js';

/** About as many rows has the accessible table; of longer series peaks and ends are among them. */
const TABLE_ROWS = 100;
/** Part of the width within which the crosshair is at a single point. */
const POINT_REACH = 0.02;

export interface CardOptions extends Omit<ChartOptions, 'onCursor'> {
  id: string;
  title: string;
  /** One sentence. */
  help: string;
  /** More of them, shown where asked for. */
  details?: readonly string[];
  xName: () => string;
  /** The rows are no course of time, so the last one is not the newest: values are shown at the crosshair only. */
  timeless?: boolean;
  toggle?: (kind: string) => void;
  /** Switches between a linear and a logarithmic y axis. */
  rescale?: () => void;
  /** Switches between the whole height and that of the end of the curves. */
  cutTop?: () => void;
  save: (name: string, data: Uint8Array) => void;
}

/** What a legend's entry is, and what pressing it does. */
function titleOf({ hint, label, shown }: LegendEntry, toggles: boolean): string | undefined {
  const action = toggles ? (shown ? t('Hide {0}', label) : t('Show {0}', label)) : undefined;
  return [hint, action].filter(Boolean).join('\n') || undefined;
}

/** A chart with its title, legend, values under the crosshair, table and export. */
export class ChartCard {
  readonly root: HTMLElement;
  readonly chart: LineChart;
  #legend = element('div', { class: 'legend' });
  #plot: HTMLElement;
  #table = element('div', { class: 'data-table', hidden: true, tabindex: '0' });
  #empty: HTMLElement;
  #live = element('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  #tableButton: HTMLButtonElement;
  #logButton: HTMLButtonElement | null = null;
  #endButton: HTMLButtonElement | null = null;
  #label = new CursorLabel();
  #entries: LegendEntry[] = [];
  #values = new Map<string, HTMLElement>();
  #legendKey = '';
  #cursor: number | null = null;
  #keyboard = false;

  constructor(
    readonly options: CardOptions,
    private theme: Theme,
  ) {
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
          this.#exportMenu(),
        ),
      ),
      help?.text,
      this.#legend,
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
    this.#legendKey = '';
    this.chart.setTheme(theme);
  }

  show(view: ChartView, legend: LegendEntry[]): void {
    this.#entries = legend;
    const empty = legend.length === 0 || legend.every((entry) => entry.lines.every((line) => line.x.length === 0));
    this.#empty.hidden = !empty;
    this.#plot.hidden = empty || !this.#table.hidden;
    this.#logButton?.setAttribute('aria-pressed', String(view.logY));
    this.#endButton?.setAttribute('aria-pressed', String(view.endY ?? false));
    this.#renderLegend();
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

  #shown(): { entry: LegendEntry; line: Line }[] {
    return this.#entries
      .filter((entry) => entry.shown)
      .flatMap((entry) => entry.lines.filter((line) => line.x.length > 0).map((line) => ({ entry, line })));
  }

  #renderLegend(): void {
    const key = JSON.stringify(
      this.#entries.map((e) => [e.kind, e.shown, e.lines.map((l) => [l.id, l.colour, l.label])]),
    );
    if (key === this.#legendKey) return;
    this.#legendKey = key;
    this.#values.clear();
    const focused = this.#legend.contains(document.activeElement)
      ? document.activeElement?.getAttribute('data-kind')
      : null;
    this.#legend.replaceChildren(
      ...this.#entries.map((entry) => {
        const toggle = this.options.toggle;
        const item = element(
          toggle ? 'button' : 'span',
          {
            class: 'legend-item',
            'data-kind': entry.kind,
            ...(toggle && {
              type: 'button',
              'aria-pressed': String(entry.shown),
              on: { click: () => toggle(entry.kind) },
            }),
            title: titleOf(entry, toggle !== undefined),
          },
          ...(entry.lines.length === 1 ? [swatch(entry.lines[0]!)] : []),
          element('span', { class: 'legend-label', text: entry.label }),
        );
        for (const line of entry.shown ? entry.lines : []) {
          const value = element('span', { class: 'legend-value' });
          this.#values.set(line.id, value);
          item.append(entry.lines.length > 1 ? element('span', { class: 'legend-pair' }, swatch(line), value) : value);
        }
        return item;
      }),
    );
    if (focused) this.#legend.querySelector<HTMLElement>(`[data-kind="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Values at the crosshair, or the last ones. */
  #renderValues(): void {
    for (const { entry, line } of this.#shown()) {
      const rest = this.options.timeless ? -1 : line.x.length - 1;
      const at = this.#cursor === null ? rest : nearest(line.x, this.#cursor);
      const value = this.#values.get(line.id);
      if (value) value.textContent = at < 0 ? '' : entry.format(line.y[at]!);
    }
  }

  #moved(x: number | null, left: number): void {
    this.#cursor = x;
    this.#renderValues();
    // The other charts' crosshairs follow; only where one looks has a label.
    if (x === null || !(this.#keyboard || this.#plot.matches(':hover'))) this.#label.hide();
    else this.#label.show(this.#head(x), this.#atCursor(x), left);
    if (this.#keyboard && x !== null)
      this.#live.textContent = [
        this.#head(x),
        ...this.#shown().map(({ line }) => `${line.label} ${this.#values.get(line.id)?.textContent ?? ''}`),
      ].join(', ');
  }

  /** "Step 1,200", or where the nearest value is. */
  #head(x: number): string {
    const { xExact, xFormat } = this.chart.view;
    return `${this.options.xName()} ${(xExact ?? xFormat)(x)}`;
  }

  #atCursor(x: number): { line: Line; value: string }[] {
    const [min, max] = this.chart.ranges?.x ?? [0, 0];
    return this.#shown().flatMap(({ entry, line }) => {
      const at = nearest(line.x, x);
      // A single point is where it is, and says nothing of other places.
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
    const lines = this.#shown();
    const places = (of: (line: Line) => Iterable<number>) => new Set(lines.flatMap(({ line }) => Array.from(of(line))));
    const total = places(({ x }) => x).size;
    const most = total <= TABLE_ROWS ? total : Math.max(5, Math.floor(TABLE_ROWS / lines.length));
    const rows = Array.from(places(({ x, y }) => downsample(y, most).map((row) => x[row]!))).sort((a, b) => a - b);
    const cell = (line: Line, x: number, format: (v: number) => string) => {
      const at = nearest(line.x, x);
      return line.x[at] === x ? format(line.y[at]!) : '';
    };
    this.#table.replaceChildren(
      element(
        'table',
        {},
        element('caption', {
          text:
            rows.length < total
              ? t('{0}: {1} of {2} rows; the CSV export has all.', this.options.title, rows.length, total)
              : this.options.title,
        }),
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            element('th', { scope: 'col', text: this.options.xName() }),
            ...lines.map(({ line }) => element('th', { scope: 'col', text: line.label })),
          ),
        ),
        element(
          'tbody',
          {},
          ...rows.map((x) =>
            element(
              'tr',
              {},
              element('th', { scope: 'row', text: this.chart.view.xFormat(x) }),
              ...lines.map(({ line, entry }) => element('td', { text: cell(line, x, entry.format) })),
            ),
          ),
        ),
      ),
    );
  }

  #exportMenu(): HTMLElement {
    const menu = element('details', { class: 'menu' });
    const item = (text: string, make: () => Promise<Uint8Array> | Uint8Array) =>
      button({ text, label: t('Export {0} as {1}', this.options.title, text), class: 'menu-item' }, () => {
        menu.open = false;
        void Promise.resolve(make()).then((bytes) =>
          this.options.save(`${this.options.id}.${text.toLowerCase()}`, bytes),
        );
      });
    const sheet = () => ({
      title: this.options.title,
      xName: this.options.xName(),
      chart: this.chart,
      theme: this.theme,
    });
    menu.append(
      element(
        'summary',
        {
          class: 'quiet',
          title: t('Export {0}', this.options.title),
          'aria-label': t('Export {0}', this.options.title),
        },
        icon('save'),
      ),
      element(
        'div',
        { class: 'menu-items' },
        item('PNG', () => exportPng(sheet())),
        item('SVG', () => exportSvg(sheet())),
        item('CSV', () =>
          exportCsv(
            this.options.xName(),
            this.#shown().map(({ line }) => line),
          ),
        ),
      ),
    );
    menu.addEventListener('focusout', (event) => {
      if (!menu.contains(event.relatedTarget as Node | null)) menu.open = false;
    });
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      menu.open = false;
      menu.querySelector('summary')?.focus();
    });
    return menu;
  }
}
