import type { Finish } from '../../daemon/protocol/finish.js';
import { encodeBytes } from '../page/base64.js';
import { Charts } from './charts.js';
import { button, element } from '../page/element.js';
import { pageState, post, remember } from './pageState.js';
import { LayerCard } from '../layerCard/layerCard.js';
import { LayerTable } from '../layerCard/layers.js';
import type { ControlAction, DifferenceRow, RunView, ToPage } from '../messages/monitor.js';
import { PathCard } from '../pathCard/pathCard.js';
import { RunData } from './runData.js';
import { RunHeader } from './runHeader.js';
import { RunStrip } from './runStrip.js';
import { oncePerFrame } from '../page/oncePerFrame.js';
import { t } from '../page/strings.js';
import { observeTheme, readTheme, type Theme } from '../page/theme.js';
import { Toolbar, type Settings } from './toolbar.js';

/** The whole page: handles the host's messages, keeps the runs it shows, draws at most once a frame. */
export class Monitor {
  #runs = new Map<string, RunData>();
  #order: string[] = [];
  #primary: string | null = null;
  #starting: string | null = null;
  #difference: DifferenceRow[] = [];
  #trusted = true;
  /** The host waits to learn that its news are drawn. */
  #owesAnswer = false;
  #settings: Settings;
  #layer: string | null = pageState().layer ?? null;
  #askedPicture = '';
  /** Results of finished runs; undefined: requested. */
  #finishes = new Map<string, Finish | null | undefined>();
  /** Several messages in a frame are one change of the page. */
  #schedule = oncePerFrame(() => this.#render());
  #theme: Theme;

  #banner = element('p', { class: 'banner', role: 'alert', hidden: true });
  #empty: HTMLElement;
  #loading = element('section', { class: 'empty', role: 'status', hidden: true });
  #content: HTMLElement;
  #header = new RunHeader((action) => this.#control(action));
  #strip: RunStrip;
  #toolbar: Toolbar;
  #charts: Charts;
  #path = new PathCard((run, point) => post({ type: 'exportPoint', run, point }));
  #layers: LayerTable;
  #layerCard: LayerCard;
  #warnings = element('section', { class: 'card warnings', hidden: true });

  constructor(root: HTMLElement) {
    const { smoothing = 0.6, axis = 'step' } = pageState();
    this.#settings = { smoothing, axis };
    this.#theme = readTheme();
    const save = (name: string, data: Uint8Array) =>
      post({ type: 'save', name: `${this.#fileName()}-${name}`, data: encodeBytes(data) });
    this.#strip = new RunStrip(
      (run) => post({ type: 'primary', run }),
      (run) => post({ type: 'remove', run }),
    );
    this.#toolbar = new Toolbar(
      this.#settings,
      (part) => {
        // A zoomed range in steps is meaningless in seconds.
        if (part.axis) this.#charts.zoomTo(null);
        Object.assign(this.#settings, part);
        remember(part);
        this.#schedule();
      },
      () => this.#charts.zoomTo(null),
    );
    this.#charts = new Charts(this.#settings, this.#theme, save, () => this.#schedule());
    this.#layers = new LayerTable((layer) => this.#chooseLayer(layer));
    this.#layerCard = new LayerCard(this.#theme, save);
    this.#empty = element(
      'section',
      { class: 'empty' },
      element('h1', { text: t('No run to show') }),
      element('p', {
        text: t('Start a run from a plan or a model, and its loss, error and sparsity appear here while it trains.'),
      }),
      button({ icon: 'play', text: t('Prune a model...'), label: t('Prune a model'), class: 'primary' }, () =>
        post({ type: 'control', action: 'start', run: null }),
      ),
    );
    this.#content = element(
      'div',
      { hidden: true },
      this.#header.root,
      this.#strip.root,
      this.#toolbar.root,
      element(
        'div',
        { class: 'grid' },
        // Only for path runs; hidden for others.
        this.#path.root,
        ...this.#charts.roots,
        this.#layers.root,
        this.#layerCard.root,
        this.#warnings,
      ),
    );
    root.append(this.#banner, this.#empty, this.#loading, this.#content);
    observeTheme((theme) => {
      this.#theme = theme;
      this.#charts.setTheme(theme);
      this.#layerCard.setTheme(theme);
      this.#schedule();
    });
  }

  receive(message: ToPage): void {
    switch (message.type) {
      case 'runs': {
        const known = this.#runs;
        this.#runs = new Map(
          message.runs.map((view) => {
            const run = known.get(view.id) ?? new RunData(view);
            run.view = view;
            return [view.id, run];
          }),
        );
        this.#order = message.runs.map((view) => view.id);
        if (message.primary !== this.#primary) this.#askedPicture = '';
        this.#primary = message.primary;
        this.#starting = message.starting;
        this.#difference = message.difference;
        this.#trusted = message.trusted;
        break;
      }
      case 'run': {
        const run = this.#runs.get(message.view.id);
        if (run) run.view = message.view;
        break;
      }
      case 'columns':
        this.#runs.get(message.run)?.apply(message.tables);
        break;
      case 'flushed':
        this.#owesAnswer = true;
        break;
      case 'picture':
        if (message.run === this.#primary && message.layer === this.#layer)
          this.#layerCard.show(message.layer, message.picture, message.problem);
        break;
      case 'finish':
        this.#finishes.set(message.run, message.finish);
        break;
      case 'connection':
        this.#banner.hidden = message.problem === null;
        this.#banner.textContent = message.problem;
        break;
    }
    this.#schedule();
  }

  #render(): void {
    if (this.#owesAnswer) post({ type: 'drawn' });
    this.#owesAnswer = false;
    const runs = this.#order.map((id) => this.#runs.get(id)!);
    const primary = this.#primary === null ? undefined : this.#runs.get(this.#primary);
    const starting = this.#starting !== null;
    this.#empty.hidden = primary !== undefined || starting;
    this.#content.hidden = primary === undefined || starting;
    if (this.#loading.hidden === starting) {
      this.#loading.hidden = !starting;
      this.#loading.replaceChildren(
        element('h1', { text: t('Starting {0}', this.#starting ?? '') }),
        element('p', { text: t('Loading the model, the data and the engine. The first point follows.') }),
        button({ icon: 'close', text: t('Cancel'), label: t('Do not start it') }, () => post({ type: 'cancelStart' })),
      );
    }
    if (!primary || starting) return;
    const views = runs.map((run) => run.view);
    this.#header.show(primary.view, this.#trusted, this.#finishOf(primary.view));
    this.#strip.show(views, this.#primary, this.#difference, this.#theme);
    this.#toolbar.zoomed = this.#charts.zoomed;
    this.#charts.show(primary, runs, this.#theme);
    this.#path.show(views, this.#primary, this.#trusted, this.#theme);
    this.#renderLayers(primary);
    this.#renderWarnings(primary);
  }

  /** Requests the result of a finished run once. A run that continues (a path, say) ends again later. */
  #finishOf({ id, summary }: RunView): Finish | null {
    if (summary.state !== 'done') {
      this.#finishes.delete(id);
      return null;
    }
    if (!this.#finishes.has(id)) {
      this.#finishes.set(id, undefined);
      post({ type: 'finish', run: id });
    }
    return this.#finishes.get(id) ?? null;
  }

  #renderLayers(run: RunData): void {
    const names = run.view.layers.map((layer) => layer.layer);
    if (this.#layer === null || !names.includes(this.#layer)) this.#layer = names[0] ?? null;
    this.#layers.show(run.view, this.#layer);
    // The picture changes with every iteration: request it again then, and only once for each.
    const wanted = `${run.view.id}/${this.#layer}/${run.view.summary.iteration}/${run.view.summary.state}`;
    if (this.#layer === null) this.#layerCard.show(null, null, null);
    else if (wanted !== this.#askedPicture) {
      this.#askedPicture = wanted;
      post({ type: 'picture', run: run.view.id, layer: this.#layer });
    }
  }

  #renderWarnings(run: RunData): void {
    const { warnings } = run.view;
    this.#warnings.hidden = warnings.length === 0;
    if (this.#warnings.childElementCount - 1 === warnings.length) return;
    this.#warnings.setAttribute('aria-label', t('Notes and warnings'));
    this.#warnings.replaceChildren(
      element('header', {}, element('h2', { text: t('Notes and warnings') })),
      ...warnings.map((warning) =>
        element('p', {}, element('time', { text: new Date(warning.time).toLocaleTimeString() }), ` ${warning.message}`),
      ),
    );
  }

  #chooseLayer(layer: string): void {
    this.#layer = layer;
    remember({ layer });
    this.#layerCard.show(layer, null, null);
    this.#schedule();
  }

  #control(action: ControlAction): void {
    post({ type: 'control', action, run: this.#primary });
  }

  #fileName(): string {
    const name = (this.#primary && this.#runs.get(this.#primary)?.view.name) || 'run';
    return name.replace(/[^\w.-]+/g, '-');
  }
}
