import { partName } from '../../daemon/protocol/finishText.js';
import type { Sensitivity } from '../../daemon/protocol/layers/sensitivity.js';
import { button, element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import { JobState } from '../page/jobState.js';
import { t } from '../page/strings.js';
import { heldBy } from './floor.js';
import { LayerChart } from './layerChart.js';
import type { Floors, FromSensitivityPage, ToSensitivityPage } from '../messages/sensitivity.js';
import { LIMITS } from '../page/limits.js';

/** What each layer of a plan loses when it is pruned alone. The user sets floors, which are written into the plan. */
export class SensitivityPage {
  #state: JobState;
  #content = element('div');
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
    this.#meter.setAttribute('aria-label', t('Share of the budget that the floors hold'));
    this.#meter.append(this.#meterFill);
    const text = () =>
      button({ text: t('Open as Text'), label: t('The same as a table, by the command line') }, () => post({ type: 'asText' })); // prettier-ignore
    this.#write = button(
      { text: t('Write floors into the plan'), label: t('Write these floors into the plan'), class: 'primary' },
      () => post({ type: 'write', floors: this.#floors() }),
    );
    this.#state = new JobState(root, this.#content, post, {
      cancel: t('Stop measuring'),
      again: t('Measure the layers again'),
      beside: [text()],
    });
    this.#textButton = text;
  }

  #textButton: () => HTMLButtonElement;

  receive(message: ToSensitivityPage): void {
    switch (message.type) {
      case 'plan':
        this.#state.begin(
          t('Sensitivity: {0}', message.name),
          t('Each layer alone is pruned to several shares, and the error measured; nothing is trained...'),
        );
        break;
      case 'progress':
        this.#state.progress(message.done, message.total);
        break;
      case 'problem':
        this.#state.fail(message.message);
        break;
      case 'sensitivity':
        this.#state.finish();
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

  #show(sensitivity: Sensitivity): void {
    const { set, samples, reference, layers, increase, budget, floors, suggested, notes } = sensitivity;
    this.#shown = sensitivity;
    this.#state.subtitle.textContent = t(
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

  /** The sum is updated at once; what the budget means, a moment later. */
  #changed(): void {
    this.#sum();
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.post({ type: 'check', turn: this.#turn, floors: this.#floors() }),
      LIMITS.draggingPause,
    );
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
