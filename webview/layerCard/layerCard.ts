import { chartHelp } from '../chartCard/help.js';
import type { LayerPicture } from '../../daemon/protocol/messages.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { ChartCard } from '../chartCard/chartCard.js';
import type { LegendEntry } from '../chart/curves.js';
import { element } from '../page/element.js';
import { count, number, percent, tick } from '../page/format.js';
import type { Line } from '../chart/line.js';
import { SparsityPicture } from './sparsityPicture.js';
import { t } from '../page/strings.js';
import type { Theme } from '../page/theme.js';

/** One layer from inside: the histogram of w and theta, and which inputs it keeps. */
export class LayerCard {
  readonly root: HTMLElement;
  #histogram: ChartCard;
  #sparsity: SparsityPicture;
  #note = element('p', { class: 'note' });
  #title = element('h2', { id: 'title-layer' });
  #hidden = new Set<string>();
  #picture: LayerPicture | null = null;

  constructor(
    private theme: Theme,
    save: (name: string, data: Uint8Array) => void,
  ) {
    this.#histogram = new ChartCard(
      {
        id: 'histogram',
        title: t('Weight histogram'),
        help: t('How many weights have which value, before and after pruning (without the zeros).'),
        details: chartHelp().histogram,
        yFormat: tick,
        height: 200,
        timeless: true,
        xName: () => t('Value'),
        save,
        toggle: (kind) => {
          if (!this.#hidden.delete(kind)) this.#hidden.add(kind);
          this.#render();
        },
      },
      theme,
    );
    this.#sparsity = new SparsityPicture(theme);
    this.root = element(
      'section',
      { class: 'card layer-card', 'aria-labelledby': 'title-layer' },
      element('header', {}, this.#title),
      this.#note,
      element('div', { class: 'layer-body' }, this.#histogram.root, this.#sparsity.root),
    );
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#histogram.setTheme(theme);
    this.#sparsity.setTheme(theme);
    this.#render();
  }

  show(layer: string | null, picture: LayerPicture | null, problem: string | null): void {
    this.#picture = picture;
    this.#title.textContent = layer ? t('Layer {0}', layer) : t('Layer');
    this.#note.textContent =
      problem ??
      (picture
        ? t(
            '{0} weights, {1} of them zero ({2})',
            count(sizeOf(picture.shape)),
            count(picture.zeros),
            percent(picture.zeros / sizeOf(picture.shape)),
          )
        : layer
          ? t('Loading...')
          : t('Choose a layer above.'));
    this.#sparsity.root.hidden = picture === null;
    this.#histogram.root.hidden = picture === null;
    if (picture) this.#sparsity.show(picture);
    this.#render();
  }

  #render(): void {
    const picture = this.#picture;
    if (!picture) return;
    const x = Float64Array.from(picture.edges);
    const kinds: [string, string, string, number[], number, number][] = [
      ['w', t('trained weights'), 'w', picture.w, 1, 2],
      ['theta', t('pruned weights'), 'θ', picture.theta, 0, 0],
    ];
    const legend: LegendEntry[] = kinds.map(([kind, label, hint, counts, colour, dash]) => {
      const line: Line = {
        id: kind,
        kind,
        label,
        x,
        y: Float64Array.from([...counts, counts[counts.length - 1] ?? 0]),
        colour: this.theme.palette[colour]!,
        dash,
        shape: 'circle',
        stepped: true,
      };
      return { kind, label, hint, shown: !this.#hidden.has(kind), lines: [line], format: count };
    });
    this.#histogram.show(
      {
        lines: legend.filter((entry) => entry.shown).flatMap((entry) => entry.lines),
        levels: [],
        marks: [],
        xFormat: number,
        logY: true,
        zoom: null,
      },
      legend,
    );
  }
}
