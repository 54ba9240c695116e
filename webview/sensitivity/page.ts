import { partName } from '../../daemon/protocol/finishText.js';
import type { Sensitivity } from '../../daemon/protocol/layers/sensitivity.js';
import { button, element } from '../element.js';
import { count, percent } from '../format.js';
import { t } from '../strings.js';
import { heldBy } from './floor.js';
import { LayerChart } from './layerChart.js';
import type { Floors, FromSensitivityPage, ToSensitivityPage } from './messages.js';

/** A hand that still moves asks nothing. Milliseconds. */
const PAUSE = 200;

/** What each layer of a plan loses alone, and floors that are set by hand and written into the plan. */
export class SensitivityPage {
  #title = element('h1');
  #subtitle = element('p', { class: 'subtitle', role: 'status' });
  #bar = element('div', { class: 'bar-fill' });
  #progress = element('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' });
  #working = element('div', { class: 'working', hidden: true });
  #problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  #again: HTMLElement;
  #content = element('div', { hidden: true });
  #total = element('p', { class: 'floors-total' });
  #meterFill = element('div', { class: 'bar-fill' });
  #meter = element('div', { class: 'progress', role: 'meter', 'aria-valuemin': '0', 'aria-valuemax': '100' });
  #checked = element('p', { class: 'floors-checked', role: 'status' });
  #charts: LayerChart[] = [];
  #shown: Sensitivity | null = null;
  #kappa: number | null = null;
  #write: HTMLButtonElement;
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    root: HTMLElement,
    private readonly post: (message: FromSensitivityPage) => void,
  ) {
    this.#progress.setAttribute('aria-label', t('Progress'));
    this.#progress.append(this.#bar);
    this.#meter.setAttribute('aria-label', t('Share of the budget that the floors hold'));
    this.#meter.append(this.#meterFill);
    const text = () =>
      button({ text: t('Open as Text'), label: t('The same as a table, by the command line') }, () => post({ type: 'asText' })); // prettier-ignore
    this.#again = element(
      'div',
      { class: 'controls', hidden: true },
      button({ text: t('Try Again'), label: t('Measure the layers again'), id: 'again' }, () => post({ type: 'compute' })),
      text(),
    ); // prettier-ignore
    this.#write = button(
      { text: t('Write floors into the plan'), label: t('Write these floors into the plan'), class: 'primary' },
      () => post({ type: 'write', floors: this.#floors() }),
    );
    this.#working.append(
      this.#progress,
      button({ text: t('Cancel'), label: t('Stop measuring'), id: 'cancel' }, () => post({ type: 'cancel' })),
    );
    root.append(
      element('header', { class: 'page-header' }, this.#title, this.#subtitle),
      this.#working,
      this.#problem,
      this.#again,
      this.#content,
    );
    this.#textButton = text;
  }

  #textButton: () => HTMLButtonElement;

  receive(message: ToSensitivityPage): void {
    switch (message.type) {
      case 'plan':
        this.#title.textContent = t('Sensitivity: {0}', message.name);
        this.#state('working');
        this.#progressed(0, 1);
        this.#subtitle.textContent = t('Each layer alone is pruned to several shares, and the error measured; nothing is trained...'); // prettier-ignore
        break;
      case 'progress':
        this.#progressed(message.done, message.total);
        break;
      case 'problem':
        this.#state('problem');
        this.#subtitle.textContent = '';
        this.#problem.textContent = message.message;
        this.#again.querySelector('button')?.focus();
        break;
      case 'sensitivity':
        this.#state('content');
        this.#show(message.sensitivity);
        break;
      case 'checked':
        if (message.turn !== this.#turn) break;
        this.#kappa = message.kappa;
        this.#sum();
        this.#say(message.problem ?? message.text, message.problem !== null);
        break;
      case 'written':
        this.#say(t('The floors are in the plan, which is not saved yet.'), false);
        break;
      case 'writeProblem':
        this.#say(message.message, true);
        break;
    }
  }

  #state(state: 'working' | 'problem' | 'content'): void {
    this.#working.hidden = state !== 'working';
    this.#problem.hidden = state !== 'problem';
    this.#again.hidden = state !== 'problem';
    this.#content.hidden = state !== 'content';
  }

  #progressed(done: number, total: number): void {
    const share = total > 0 ? Math.round((100 * done) / total) : 0;
    this.#progress.setAttribute('aria-valuenow', String(share));
    this.#bar.style.setProperty('width', `${share}%`);
  }

  #show(sensitivity: Sensitivity): void {
    const { set, samples, reference, layers, increase, budget, floors, suggested, notes } = sensitivity;
    this.#shown = sensitivity;
    this.#subtitle.textContent = t(
      'Error on the {0} samples of the {1} part with the largest weights of one layer kept; the whole model has {2}.',
      count(samples),
      partName(set),
      percent(reference),
    );
    const errors = layers.flatMap(({ points }) => points.flatMap(({ error }) => (error === null ? [] : [error])));
    const highest = Math.max(reference ?? 0, ...errors);
    const changed = budget && (() => this.#changed());
    this.#charts = layers.map((layer) => new LayerChart(layer, { reference, increase, highest, changed }));
    const all = (text: string, label: string, of: (layer: string) => number, can = true) => {
      const made = button({ text, label }, () => {
        layers.forEach(({ layer }, i) => this.#charts[i]!.set(of(layer)));
        this.#changed();
      });
      made.disabled = !can;
      return made;
    };
    const controls = budget
      ? element(
          'section',
          { class: 'card floors', 'aria-label': t('Floors') },
          this.#total,
          this.#meter,
          this.#checked,
          element(
            'div',
            { class: 'controls' },
            this.#write,
            all(t('Suggested'), t('Floors in the proportions of what the layers need, at most half of the budget'), (layer) => suggested?.[layer] ?? 0, suggested !== null),
            all(t('As in the plan'), t('The floors that the plan has'), (layer) => floors[layer] ?? 0),
            all(t('None'), t('No floors'), () => 0),
            this.#textButton(),
          ),
        )
      : element(
          'section',
          { class: 'card floors', 'aria-label': t('Floors') },
          element('p', { text: t('Floors are set here for a plan with one budget; this one has several tasks.') }),
          element('div', { class: 'controls' }, this.#textButton()),
        ); // prettier-ignore
    this.#content.replaceChildren(
      controls,
      element('div', { class: 'sensitivity-layers' }, ...this.#charts.map(({ root }) => root)),
      (notes.length > 0 &&
        element('section', { class: 'notes', 'aria-label': t('Notes') }, ...notes.map((text) => element('p', { text })))) ||
        '',
    ); // prettier-ignore
    if (!budget) return;
    layers.forEach(({ layer }, i) => this.#charts[i]!.set(floors[layer] ?? 0));
    this.#changed();
  }

  #floors(): Floors {
    const { layers } = this.#shown!;
    return Object.fromEntries(
      layers.flatMap(({ layer }, i) => (this.#charts[i]!.floor > 0 ? [[layer, this.#charts[i]!.floor] as const] : [])),
    );
  }

  /** The sum follows the hand; what the budget says to it, a moment later. */
  #changed(): void {
    this.#sum();
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.post({ type: 'check', turn: this.#turn, floors: this.#floors() }), PAUSE);
  }

  #sum(): void {
    const { layers } = this.#shown!;
    const held = layers.reduce((sum, layer, i) => sum + heldBy(layer, this.#charts[i]!.floor), 0);
    const kappa = this.#kappa;
    const share = kappa ? held / kappa : null;
    this.#total.textContent =
      share === null
        ? t('The floors hold {0} weights.', count(held))
        : t('The floors hold {0} of the {1} weights that the budget keeps ({2}).', count(held), count(kappa), percent(share));
    const shown = Math.min(100, Math.round(100 * (share ?? 0)));
    this.#meter.hidden = share === null;
    this.#meter.setAttribute('aria-valuenow', String(shown));
    this.#meterFill.style.setProperty('width', `${shown}%`);
  } // prettier-ignore

  #say(text: string, isProblem: boolean): void {
    this.#checked.textContent = text;
    this.#checked.classList.toggle('problem', isProblem);
  }
}
