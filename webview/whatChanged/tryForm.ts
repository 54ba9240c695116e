/** The user's own sample, answered by both networks side by side. */
import type { InputForm, TriedAnswer } from '../../daemon/protocol/whatChanged.js';
import { sizeOf } from '../../daemon/protocol/shape.js';
import { picture } from '../dataPage/dataSamples.js';
import { button, element } from '../page/element.js';
import { number, percent } from '../page/format.js';
import { t } from '../page/strings.js';
import { canDraw, DrawPad } from './drawPad.js';
import type { FromChangedPage } from '../messages/changed.js';
import { section } from './parts.js';

/** Most values that a user types in. */
const TYPED = 4096;

export class TryForm {
  readonly root: HTMLElement;
  #answer = element('div', { class: 'tried', role: 'status' });
  #rows: HTMLTextAreaElement[] = [];
  #asked = false;
  #first: HTMLElement | null = null;

  constructor(
    private readonly form: readonly InputForm[],
    private readonly post: (message: FromChangedPage) => void,
  ) {
    const ways = [this.#image(), this.#drawing(), this.#values()].filter((way) => way !== null);
    this.root = section(
      'try',
      t('Try a sample'),
      null,
      ways.length > 0
        ? element('div', { class: 'ways' }, ...ways, this.#answer)
        : element('p', { class: 'note', text: t('The samples of this network are too large to be typed or drawn.') }),
    );
  }

  focus(): void {
    this.root.scrollIntoView({ block: 'start' });
    this.#first?.focus();
  }

  show(answer: TriedAnswer): void {
    this.#asked = false;
    const column = (name: string, given: TriedAnswer['pruned'] | null) =>
      element(
        'div',
        { class: 'answer' },
        element('h3', { text: name }),
        given ? answers(given) : element('p', { class: 'note', text: t('no longer there') }),
      );
    this.#answer.replaceChildren(
      ...answer.inputs.flatMap((input) =>
        input.image
          ? [element('figure', {}, picture(input.pictures[0]!, input.image), element('figcaption', { text: t('as the networks see it') }))]
          : [],
      ),
      column(t('Reference'), answer.reference),
      column(t('Pruned'), answer.pruned),
      ...answer.notes.map((text) => element('p', { class: 'note', text })),
    );
  } // prettier-ignore

  problem(message: string): void {
    this.#asked = false;
    this.#answer.replaceChildren(element('p', { class: 'problem', text: message }));
  }

  #ask(message: FromChangedPage): void {
    if (this.#asked && message.type !== 'tryFile') return;
    this.#asked = message.type !== 'tryFile';
    if (this.#asked) this.#answer.replaceChildren(element('p', { class: 'note', text: t('Asking both networks...') }));
    this.post(message);
  }

  #focusable<E extends HTMLElement>(node: E): E {
    this.#first ??= node;
    return node;
  }

  #image(): HTMLElement | null {
    if (this.form.length !== 1 || !this.form[0]!.image) return null;
    const open = button({ text: t('Image File...'), label: t('Let both networks answer an image file') }, () =>
      this.#ask({ type: 'tryFile' }),
    );
    return element('div', { class: 'way' }, this.#focusable(open));
  }

  #drawing(): HTMLElement | null {
    const [input, ...others] = this.form;
    if (!input || others.length > 0 || !canDraw(input)) return null;
    const pad = new DrawPad(input);
    const hint = element('p', { class: 'note', role: 'status' });
    const ask = button({ text: t('Ask Both'), label: t('Let both networks answer the drawing'), class: 'primary', id: 'ask-drawing' }, () => {
      hint.textContent = pad.isEmpty ? t('Draw something first.') : '';
      if (!pad.isEmpty) this.#ask({ type: 'tryValues', inputs: [pad.values()] });
    });
    const clear = button({ text: t('Clear'), label: t('Clear the drawing') }, () => pad.clear());
    return element('div', { class: 'way' }, this.#focusable(pad.root), element('div', { class: 'controls' }, ask, clear), hint);
  } // prettier-ignore

  #values(): HTMLElement | null {
    if (this.form.some(({ image }) => image !== null)) return null;
    if (this.form.some(({ shape }) => sizeOf(shape) > TYPED)) return null;
    const hint = element('p', { class: 'problem', role: 'alert', hidden: true });
    this.#rows = this.form.map(({ name, example }, i) =>
      element('textarea', { id: `row-${i}`, rows: 3, spellcheck: 'false', 'aria-describedby': `about-${i}`, text: example.join(', '), name }),
    );
    const ask = button({ text: t('Ask Both'), label: t('Let both networks answer these values'), class: 'primary', id: 'ask-values' }, () => {
      const parsed = this.form.map((input, i) => parseRow(this.#rows[i]!.value, input));
      const wrong = parsed.find((one) => typeof one === 'string');
      hint.hidden = wrong === undefined;
      hint.textContent = wrong ?? '';
      if (wrong === undefined) this.#ask({ type: 'tryValues', inputs: parsed as number[][] });
    });
    const parts = this.form.flatMap(({ name, columns, shape, stored }, i) => [
      element('label', { for: `row-${i}`, text: this.form.length > 1 ? t('Values of {0}', name) : t('Values, as they are stored') }),
      this.#focusable(this.#rows[i]!),
      element('p', {
        class: 'note',
        id: `about-${i}`,
        text: columns.length > 0 ? columns.join(', ') : t('{0} numbers; those of the data are from {1} to {2}', sizeOf(shape), number(stored[0]), number(stored[1])),
      }),
    ]);
    return element('div', { class: 'way values' }, ...parts, element('div', { class: 'controls' }, ask), hint);
  } // prettier-ignore
}

/** @returns the numbers of a row, or why it is rejected. */
export function parseRow(text: string, { name, shape }: Pick<InputForm, 'name' | 'shape'>): number[] | string {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = words.find((word) => !Number.isFinite(Number(word)));
  if (wrong !== undefined) return t('"{0}" is no number', wrong);
  const size = sizeOf(shape);
  if (words.length !== size) return t('{0} takes {1} numbers, these are {2}', name, size, words.length);
  return words.map(Number);
}

function answers({ answers: given, unit }: TriedAnswer['pruned']): HTMLElement {
  return element(
    'ol',
    { class: 'answers' },
    ...given.map(({ name, value }) => {
      const text = value === null ? '–' : unit === 'share' ? percent(value) : number(value);
      const item = element(
        'li',
        {},
        element('span', { class: 'answer-name', text: name }),
        element('span', { class: 'number', text }),
      );
      if (unit === 'share' && value !== null) {
        const fill = element('div', { class: 'bar-fill' });
        fill.style.setProperty('width', `${Math.round(1000 * Math.min(1, Math.max(0, value))) / 10}%`);
        item.append(element('div', { class: 'bar', 'aria-hidden': 'true' }, fill));
      }
      return item;
    }),
  );
}
