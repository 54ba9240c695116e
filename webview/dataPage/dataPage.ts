import type { DataPreview } from '../../daemon/protocol/dataChoice.js';
import type { DataWishes, FromDataPage, ToDataPage } from '../messages/data.js';
import { dataSamples } from './dataSamples.js';
import { button, element } from '../page/element.js';
import { t } from '../page/strings.js';

/** Names of the input scales of a plan. */
const scales = (): [value: string, text: string][] => [
  ['none', t('as stored')],
  ['unit', t('x / 255')],
  ['symmetric', t('x / 127.5 - 1')],
  ['signed', t('2x - 1')],
  ['unsigned', t('(x + 1) / 2')],
  ['standard', t('z-scores')],
];

/** Most columns that can be chosen among. */
const CHOOSABLE = 200;
/** Names of inputs that are listed. */
const INPUTS = 12;

/** Data as a run would read it. The user accepts it, changes how it is read, or goes back to choose other data. */
export class DataPage {
  #title = element('h1');
  #subtitle = element('p', { class: 'subtitle', role: 'status' });
  #use = button({ text: t('Use This Data'), label: t('Use this data, and choose the budget'), class: 'primary', id: 'use' }, () => this.#take()); // prettier-ignore
  #other = button({ text: t('Other Data...'), label: t('Choose other data'), id: 'other' }, () => this.post({ type: 'other' })); // prettier-ignore
  #problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  #content = element('div', { class: 'data', hidden: true });
  #wishes: DataWishes = { labels: null, inputs: null, scale: null, order: null };
  #time: HTMLSelectElement | null = null;

  constructor(
    root: HTMLElement,
    private readonly post: (message: FromDataPage) => void,
  ) {
    this.#use.disabled = true;
    root.append(
      element(
        'header',
        { class: 'title-row' },
        element('div', {}, this.#title, this.#subtitle),
        element('div', { class: 'controls' }, this.#use, this.#other),
      ),
      this.#problem,
      this.#content,
    );
  }

  receive(message: ToDataPage): void {
    this.#use.disabled = message.type !== 'preview';
    this.#problem.hidden = message.type !== 'problem';
    switch (message.type) {
      case 'reading':
        this.#title.textContent = t('{0} for {1}', message.name, message.model);
        this.#subtitle.textContent = t('Reading the data as the model would...');
        break;
      case 'problem':
        this.#subtitle.textContent = t('It cannot be used like this');
        this.#problem.textContent = message.message;
        if (this.#content.hidden) this.#other.focus();
        break;
      case 'preview':
        this.#show(message.preview, message.wishes);
        break;
    }
  }

  #take(): void {
    this.#use.disabled = true;
    this.post({ type: 'use', time: this.#time ? Number(this.#time.value) : -1 });
  }

  #change(part: Partial<DataWishes>): void {
    this.#wishes = { ...this.#wishes, ...part };
    this.post({ type: 'change', wishes: this.#wishes });
  }

  #show(preview: DataPreview, wishes: DataWishes): void {
    const first = this.#content.hidden;
    const focused = document.activeElement?.id;
    this.#wishes = wishes;
    this.#subtitle.textContent = preview.about;
    this.#content.hidden = false;
    this.#content.replaceChildren(
      element('div', { class: 'choices' }, ...this.#choices(preview)),
      element('h2', { text: t('Samples, as the model sees them') }),
      ...dataSamples(preview),
      element(
        'section',
        { class: 'notes', 'aria-label': t('Notes') },
        ...preview.notes.map((note) => element('p', { class: 'note', text: note })),
      ),
    );
    if (first) this.#use.focus();
    else if (focused) document.getElementById(focused)?.focus();
  }

  #choices(preview: DataPreview): (HTMLElement | false)[] {
    const { fields, classes, scale, order, orders, times } = preview;
    this.#time =
      times.length === 0
        ? null
        : select(
            'time',
            times.map(({ text }, i) => [String(i), text]),
            ['0'],
          );
    return [
      fields && fields.labels.length > 0 && choice(t('Label'), this.#labels(fields), 'labels'),
      fields && this.#inputs(fields),
      classes && choice(t('Classes'), element('span', { class: 'value', text: listed(classes) })),
      order !== null &&
        orders.length > 1 &&
        choice(
          t('Which label is which class'),
          this.#select('order', [['', t('Automatic: {0}', order)], ...orders.map(({ order, text }) => [order, text] as [string, string])], this.#wishes.order), // prettier-ignore
          'order',
        ),
      choice(t('Scale of inputs'), this.#select('scale', [['', t('Automatic: {0}', scale)], ...scales()], this.#wishes.scale), 'scale'), // prettier-ignore
      this.#time !== null && choice(t('How long'), this.#time, 'time'),
    ].map((each) => each || false);
  }

  /** Columns can be chosen for a single input; for several inputs, and for arrays, they are only shown. */
  #inputs({ kind, names, inputs, labels }: NonNullable<DataPreview['fields']>): HTMLElement {
    const [own] = inputs;
    if (kind === 'arrays' || !own || inputs.length > 1 || names.length > CHOOSABLE)
      return choice(t('Inputs'), element('span', { class: 'value', text: listed(inputs.flat()) }));
    const box = select(
      'inputs',
      names.filter((name) => !labels.includes(name)).map((name) => [name, name]),
      own,
      true,
    );
    box.addEventListener('change', () => this.#change({ inputs: [...box.selectedOptions].map(({ value }) => value) }));
    return choice(t('Inputs'), box, 'inputs');
  }

  #labels({ names, labels }: NonNullable<DataPreview['fields']>): HTMLSelectElement {
    const several = labels.length > 1;
    const box = select(
      'labels',
      names.map((name) => [name, name]),
      labels,
      several,
    );
    box.addEventListener('change', () =>
      this.#change({ labels: [...box.selectedOptions].map(({ value }) => value), inputs: null, order: null }),
    );
    return box;
  }

  /** The automatic choice shows its result while it is selected. */
  #select(key: 'scale' | 'order', options: [string, string][], value: string | null): HTMLSelectElement {
    if (value !== null) options[0] = ['', t('Automatic')];
    const box = select(key, options, [value ?? '']);
    box.addEventListener('change', () => this.#change({ [key]: box.value || null }));
    return box;
  }
}

/** @param several a list box with several choices; it is created as one, because a menu keeps only its last choice. */
function select(
  id: string,
  options: readonly (readonly [string, string])[],
  chosen: readonly string[],
  several = false,
): HTMLSelectElement {
  return element(
    'select',
    { id, ...(several && { multiple: true, size: Math.min(6, options.length) }) },
    ...options.map(([value, text]) => element('option', { value, text, selected: chosen.includes(value) })),
  );
}

const choice = (name: string, control: HTMLElement, id?: string): HTMLElement =>
  element('div', { class: 'choice' }, element(id ? 'label' : 'span', { ...(id && { for: id }), class: 'name', text: name }), control); // prettier-ignore

const listed = (names: readonly string[]): string =>
  names.length > INPUTS
    ? t('{0} and {1} more', names.slice(0, INPUTS).join(', '), names.length - INPUTS)
    : names.join(', ');
