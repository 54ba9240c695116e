/** The charts of the monitor: those over time, and error against kept weights of the compared runs. */
import { TELEMETRY } from '../../daemon/protocol/telemetry/columns.js';
import { chartSpecs, type ChartSpec } from '../chart/chartSpecs.js';
import { buildLines, xExact, xFormats } from '../chart/curves.js';
import type { VerticalMark } from '../chart/line.js';
import { settledBand } from '../chart/settledBand.js';
import { tradeOffLines } from '../chart/tradeOff.js';
import { ChartCard } from '../chartCard/chartCard.js';
import { chartHelp } from '../chartCard/help.js';
import { percent, percentTick } from '../page/format.js';
import { t } from '../page/strings.js';
import type { Theme } from '../page/theme.js';
import { pageState, remember } from './pageState.js';
import type { RunData } from './runData.js';
import type { Settings } from './toolbar.js';

const TRADE_OFF = 'trade-off';

/** The user's choices for the charts, remembered with the page; the zoom is not. */
export class Charts {
  #hidden = new Set(pageState().hidden ?? []);
  #rescaled = new Set(pageState().rescaled ?? []);
  #recut = new Set(pageState().recut ?? []);
  #zoom: [number, number] | null = null;
  #cards: { spec: ChartSpec; card: ChartCard }[];
  #tradeOff: ChartCard;

  /** @param changed is called when the user changed something and the charts must be drawn again. */
  constructor(
    private readonly settings: Readonly<Settings>,
    theme: Theme,
    save: (name: string, data: Uint8Array) => void,
    private readonly changed: () => void,
  ) {
    this.#cards = chartSpecs().map((spec) => ({ spec, card: this.#card(spec, theme, save) }));
    this.#tradeOff = new ChartCard(
      {
        id: TRADE_OFF,
        title: t('Error against kept weights'),
        help: t('Where each compared run ended. Lower and further left is better.'),
        details: chartHelp()[TRADE_OFF],
        yFormat: (v) => percent(v),
        yTick: percentTick,
        xLog: true,
        height: 240,
        xName: () => t('Kept'),
        toggle: (kind) => this.#toggle(kind),
        rescale: () => this.#rescale(TRADE_OFF),
        save,
      },
      theme,
    );
  }

  #card(spec: ChartSpec, theme: Theme, save: (name: string, data: Uint8Array) => void): ChartCard {
    return new ChartCard(
      {
        id: spec.id,
        title: spec.title,
        help: spec.help,
        details: spec.details,
        yFormat: spec.yFormat,
        ...(spec.yTick && { yTick: spec.yTick }),
        ...(spec.y2Format && { y2Format: spec.y2Format }),
        ...(spec.y2Log && { y2Log: true }),
        height: spec.isTall ? 260 : 190,
        sync: 'monitor',
        xName: () => t(TELEMETRY.batch[this.settings.axis].label),
        onZoom: (zoom) => this.zoomTo(zoom),
        toggle: (kind) => this.#toggle(kind),
        rescale: () => this.#rescale(spec.id),
        ...(spec.showsEnd && { cutTop: () => this.#cutTop(spec.id) }),
        save,
      },
      theme,
    );
  }

  /** Their cards, in the order of the page. */
  get roots(): HTMLElement[] {
    return [...this.#cards.map(({ card }) => card.root), this.#tradeOff.root];
  }

  get zoomed(): boolean {
    return this.#zoom !== null;
  }

  /** @param zoom ends on the x axis; null, or an empty range: everything. */
  zoomTo(zoom: [number, number] | null): void {
    this.#zoom = zoom && zoom[1] > zoom[0] ? zoom : null;
    this.changed();
  }

  setTheme(theme: Theme): void {
    for (const { card } of this.#cards) card.setTheme(theme);
    this.#tradeOff.setTheme(theme);
  }

  /** @param primary the run whose marks, level and band are drawn. */
  show(primary: RunData, runs: readonly RunData[], theme: Theme): void {
    const { axis, smoothing } = this.settings;
    const marks: VerticalMark[] = primary.view.marks.map((mark) => ({ x: mark[axis], label: mark.label }));
    for (const { spec, card } of this.#cards) {
      const { lines, legend } = buildLines(spec, runs, { axis, smoothing, hidden: this.#hidden }, theme);
      const level = spec.level?.(primary);
      card.show(
        {
          lines,
          levels: level ? [level] : [],
          marks,
          xFormat: xFormats[axis],
          xExact: xExact[axis],
          logY: spec.isLog !== this.#rescaled.has(spec.id),
          endY: (spec.showsEnd ?? false) !== this.#recut.has(spec.id),
          band: spec.settles ? settledBand(primary, axis) : null,
          zoom: this.#zoom,
        },
        legend,
      );
    }
    const views = runs.map((run) => run.view);
    const tradeOff = tradeOffLines(views, this.#hidden, theme);
    this.#tradeOff.show(
      { ...tradeOff, marks: [], xFormat: percentTick, logY: this.#rescaled.has(TRADE_OFF), zoom: null },
      tradeOff.legend,
    );
    // A single run is a single point: nothing to compare.
    this.#tradeOff.root.hidden = tradeOff.legend.length === 0 || runs.length < 2;
  }

  #toggle(kind: string): void {
    if (!this.#hidden.delete(kind)) this.#hidden.add(kind);
    remember({ hidden: [...this.#hidden] });
    this.changed();
  }

  #rescale(chart: string): void {
    if (!this.#rescaled.delete(chart)) this.#rescaled.add(chart);
    remember({ rescaled: [...this.#rescaled] });
    this.changed();
  }

  #cutTop(chart: string): void {
    if (!this.#recut.delete(chart)) this.#recut.add(chart);
    remember({ recut: [...this.#recut] });
    this.changed();
  }
}
