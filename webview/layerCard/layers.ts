import { element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import type { RunView } from '../messages/monitor.js';
import { t } from '../page/strings.js';

/** A table of what each layer keeps, with bars and numbers; selecting a row shows that layer. */
export class LayerTable {
  readonly root: HTMLElement;
  #body = element('tbody');
  #empty = element('p', { class: 'empty-chart', text: t('Layers appear after the first C step.') });
  #table: HTMLElement;
  #key = '';
  #selected: string | null = null;

  constructor(private readonly choose: (layer: string) => void) {
    this.#table = element(
      'table',
      { class: 'layers' },
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          element('th', { scope: 'col', text: t('Layer') }),
          element('th', { scope: 'col', class: 'number', text: t('Weights') }),
          element('th', { scope: 'col', class: 'number', text: t('Kept') }),
          element('th', { scope: 'col', class: 'wide', text: t('Share kept') }),
        ),
      ),
      this.#body,
    );
    this.root = element(
      'section',
      { class: 'card layers-card', 'aria-labelledby': 'title-layers' },
      element('header', {}, element('h2', { id: 'title-layers', text: t('Layers') })),
      this.#empty,
      element(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-labelledby': 'title-layers' },
        this.#table,
      ),
    );
  }

  show(view: RunView, selected: string | null): void {
    const { layers } = view;
    this.#empty.hidden = layers.length > 0;
    this.#table.hidden = layers.length === 0;
    const key = JSON.stringify([view.id, layers.map((layer) => layer.layer)]);
    if (key !== this.#key) {
      this.#key = key;
      this.#body.replaceChildren(...layers.map(({ layer }) => this.#row(layer)));
    }
    this.#selected = selected;
    layers.forEach(({ layer, weights, kept }, i) => {
      const row = this.#body.rows[i]!;
      const share = weights === 0 ? 0 : kept / weights;
      row.classList.toggle('selected', layer === selected);
      row.querySelector('button')!.setAttribute('aria-pressed', String(layer === selected));
      row.cells[1]!.textContent = count(weights);
      row.cells[2]!.textContent = count(kept);
      const bar = row.querySelector<HTMLElement>('.bar-fill')!;
      // A square root makes 1% and 3% visibly different without hiding that both are small.
      bar.style.setProperty('width', `${(Math.sqrt(share) * 100).toFixed(1)}%`);
      row.querySelector('.bar-text')!.textContent = percent(share);
    });
  }

  get selected(): string | null {
    return this.#selected;
  }

  #row(layer: string): HTMLElement {
    return element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        element('button', {
          type: 'button',
          class: 'link',
          text: layer,
          title: t('Show the weights of {0}', layer),
          on: { click: () => this.choose(layer) },
        }),
      ),
      element('td', { class: 'number' }),
      element('td', { class: 'number' }),
      element(
        'td',
        { class: 'wide' },
        element(
          'div',
          { class: 'bar-cell' },
          element('div', { class: 'bar', 'aria-hidden': 'true' }, element('div', { class: 'bar-fill' })),
          element('span', { class: 'bar-text' }),
        ),
      ),
    );
  }
}
