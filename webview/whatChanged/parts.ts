/** Elements that the sections of the page share. */
import { element } from '../page/element.js';
import { t } from '../page/strings.js';
import { points } from '../../daemon/protocol/format.js';

/** A section with a heading; `extra` stands beside it. */
export function section(id: string, title: string, extra: Node | null, ...children: (Node | null)[]): HTMLElement {
  return element(
    'section',
    { class: `card ${id}`, 'aria-labelledby': `${id}-title` },
    element('header', {}, element('h2', { id: `${id}-title`, text: title }), extra),
    ...children,
  );
}

/** Radio buttons that look like a row of buttons. @param label of the group. */
export function choices(
  name: string,
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen: string,
  choose: (value: string) => void,
): HTMLElement {
  return element(
    'div',
    { class: 'choices-row', role: 'radiogroup', 'aria-label': label },
    ...options.map(([value, text]) => {
      const input = element('input', { type: 'radio', name, value, id: `${name}-${value}`, checked: value === chosen });
      input.addEventListener('change', () => input.checked && choose(value));
      return element('label', { for: `${name}-${value}` }, input, element('span', { text }));
    }),
  );
}

/** Cells of a row: the first is its heading, texts with digits are numbers. */
export interface Cells {
  readonly head: string;
  readonly cells: readonly string[];
}

/** A table that scrolls by itself. @param label of the region. */
export function scrollTable(label: string, header: readonly string[], rows: readonly Cells[]): HTMLElement {
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element('tr', {}, ...header.map((text, i) => element('th', { scope: 'col', class: i > 0 ? 'number' : '', text }))),
      ),
      element(
        'tbody',
        {},
        ...rows.map(({ head, cells }) =>
          element('tr', {}, element('th', { scope: 'row', text: head }), ...cells.map((text) => element('td', { class: 'number', text }))),
        ),
      ),
    ),
  );
} // prettier-ignore

/** "+1.20 points", "no change". */
export function pointsText(difference: number): string {
  if (difference === 0) return t('no change');
  const text = points(difference);
  return difference > 0 ? t('+{0} points', text) : t('−{0} points', text);
}

/** "+12", "−3", "0". */
export const signed = (value: number): string => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : '0');
