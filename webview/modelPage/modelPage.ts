import type { LayerKept } from '../../daemon/protocol/events.js';
import type { ModelSummary } from '../../daemon/protocol/messages.js';
import { oncePerFrame } from '../page/oncePerFrame.js';
import { button, element } from '../page/element.js';
import { bytes, count, percent, shortCount } from '../page/format.js';
import type { FromModelPage, ModelAction, ToModelPage } from '../messages/model.js';
import { keptShare } from '../networkGraph/keptShare.js';
import { NetworkGraph } from '../networkGraph/networkGraph.js';
import { t } from '../page/strings.js';

type Layer = ModelSummary['layers'][number];

/** A model file: the content of a model.json's CodeLens, as a picture of the network and one table. */
export class ModelPage {
  #state = element('section', { class: 'empty', role: 'status' }, element('h1', { text: t('Reading the model') }));
  #head = element('header', { class: 'title-row' });
  #graph = new NetworkGraph((layer) => this.#layerActions(layer, 'panel '));
  #rows = element('div', {
    class: 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': t('Layers'),
  });
  #notes = element('section', { class: 'notes', 'aria-label': t('Notes') });
  #content = element('div', { hidden: true }, this.#head, this.#graph.root, this.#rows, this.#notes);

  #latest: Extract<ToModelPage, { type: 'model' }> | null = null;
  #schedule = oncePerFrame(() => {
    if (this.#latest) this.#show(this.#latest.model, this.#latest.run, this.#latest.kept);
  });

  constructor(
    root: HTMLElement,
    private readonly post: (message: FromModelPage) => void,
  ) {
    root.append(this.#state, this.#content);
  }

  receive(message: ToModelPage): void {
    const problem = message.type === 'problem';
    this.#state.hidden = !problem;
    this.#content.hidden = problem;
    if (message.type === 'model') {
      this.#latest = message;
      this.#schedule();
    } else
      this.#state.replaceChildren(
        element('h1', { text: t('This file cannot be shown as a model') }),
        element('p', { text: message.message }),
        button({ text: t('Show Log'), label: t('Show Log') }, () => this.post({ type: 'log' })),
      );
  }

  #show(model: ModelSummary, run: string | null, kept: readonly LayerKept[]): void {
    const focused = document.activeElement?.getAttribute('data-focus');
    const zeros = model.zeros === null || model.prunable === 0 ? null : model.zeros / model.prunable;
    const facts = [
      model.prunable > 0
        ? t('{0} weights ({1} prunable)', count(model.params), count(model.prunable))
        : t('{0} weights', count(model.params)),
      bytes(model.bytes),
      t('{0} FLOPs', shortCount(model.flops)),
      ...(zeros === null ? [] : [t('{0} zeros', percent(zeros))]),
      ...(run === null ? [] : [t('kept: after {0}', run)]),
    ];
    this.#head.replaceChildren(
      element(
        'div',
        {},
        element('h1', { text: model.path.split(/[\\/]/).at(-1)! }),
        element('p', { class: 'subtitle', text: facts.join(' · ') }),
      ),
      element(
        'div',
        { class: 'controls' },
        model.prunable > 0 &&
          this.#action('prune', null, t('Prune to budget...'), t('Prune to budget...'), { look: 'primary' }),
        this.#action('inspect', null, t('Inspect'), t('Show the layers in the side bar')),
      ),
    );
    const byLayer = new Map(kept.map((layer) => [layer.layer, layer]));
    this.#graph.show({ layers: model.layers, kept: run === null ? null : byLayer });
    this.#rows.replaceChildren(this.#table(model, byLayer));
    this.#notes.hidden = model.notes.length === 0;
    this.#notes.replaceChildren(...model.notes.map((note) => element('p', { class: 'note', text: note })));
    if (focused) this.#content.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  #table(model: ModelSummary, kept: ReadonlyMap<string, LayerKept>): HTMLElement {
    const head = (text: string, number = false) =>
      element('th', { scope: 'col', ...(number && { class: 'number' }), text });
    return element(
      'table',
      { class: 'layers model-layers' },
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          head(t('Layer')),
          head(t('Type')),
          head(t('Output')),
          head(t('Weights'), true),
          head(t('Share of all'), true),
          head(t('FLOPs'), true),
          head(t('Kept'), true),
          element('th', { scope: 'col' }, element('span', { class: 'visually-hidden', text: t('Actions') })),
        ),
      ),
      element('tbody', {}, ...model.layers.map((layer) => this.#row(layer, model.prunable, kept.get(layer.name)))),
    );
  }

  #row(layer: Layer, prunable: number, kept: LayerKept | undefined): HTMLElement {
    const number = (text: string) => element('td', { class: 'number', text });
    const share = keptShare(layer, kept);
    return element(
      'tr',
      {},
      element('th', { scope: 'row', text: layer.name }),
      element('td', { text: layer.className }),
      element('td', { text: layer.outputShape?.map((extent) => extent ?? '?').join(' × ') ?? '' }),
      number(layer.params > 0 ? count(layer.prunable || layer.params) : ''),
      number(layer.prunable > 0 ? percent(layer.prunable / Math.max(1, prunable)) : ''),
      number(layer.flops > 0 ? count(layer.flops) : ''),
      number(share === null ? '' : percent(share)),
      element('td', { class: 'actions' }, ...this.#layerActions(layer)),
    );
  }

  /** @param place prefix of the key by which the focus is restored; the same buttons are in two places. */
  #layerActions({ name, prunable }: Layer, place = ''): HTMLElement[] {
    if (prunable === 0) return [];
    const look = place === '' ? 'link' : '';
    return [
      this.#action('budget', name, t('Set budget...'), t('Set the budget of {0}', name), { look, place }),
      this.#action('exclude', name, t('Exclude'), t('Exclude {0}', name), { look, place }),
    ];
  }

  #action(
    action: ModelAction,
    layer: string | null,
    text: string,
    label: string,
    { look = '', place = '' }: { look?: string; place?: string } = {},
  ): HTMLButtonElement {
    const made = button({ text, label, ...(look && { class: look }) }, () =>
      this.post({ type: 'action', action, layer }),
    );
    // Every row has the same texts; a screen reader needs the layer's name too.
    if (layer !== null) made.setAttribute('aria-label', `${text} ${layer}`);
    // A new run redraws the table; the keyboard focus stays.
    made.setAttribute('data-focus', `${place}${action}/${layer ?? ''}`);
    return made;
  }
}
