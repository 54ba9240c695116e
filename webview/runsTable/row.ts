import type { RunColumn } from '../../daemon/protocol/runs/columns.js';
import { element, icon } from '../page/element.js';
import { t } from '../page/strings.js';
import { badge } from '../page/swatch.js';
import { runColour, runShape, type Theme } from '../page/theme.js';
import type { VisibleRow } from './tree.js';

/** Height of a row in CSS pixels; runsTable.css has it too. */
export const ROW_HEIGHT = 28;

export interface Drawing extends VisibleRow {
  readonly index: number;
  readonly columns: readonly RunColumn[];
  readonly chosen: boolean;
  /** It has the focus when the table has it. */
  readonly active: boolean;
  /** Its colour in the monitor, if it is shown there. */
  readonly colour: number | undefined;
  readonly theme: Theme;
}

/** The content of a row's cells. */
export const contentOf = ({ node, level, expanded, colour }: Drawing): string =>
  JSON.stringify([node.row, node.run.label, level, expanded, colour]);

/** A new row without position and cells. */
export const emptyRow = (key: string): HTMLElement => element('div', { role: 'row', 'data-key': key });

/**
 * Redraws the cells. It must not be called when a row is only selected or focused: an element that is pressed must still be there when the pointer
 * goes up.
 */
export const fillRow = (row: HTMLElement, drawing: Drawing): void =>
  row.replaceChildren(...drawing.columns.map((column, i) => cellElement(column, i, drawing)));

/** The position of a row, and whether it is selected or focused. */
export function placeRow(row: HTMLElement, drawing: Drawing): void {
  const { level, expanded, index, chosen, active } = drawing;
  row.className = `row${chosen ? ' chosen' : ''}${level === 2 ? ' nested' : ''}`;
  row.tabIndex = active ? 0 : -1;
  row.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
  row.setAttribute('aria-rowindex', String(index + 2));
  row.setAttribute('aria-level', String(level));
  row.setAttribute('aria-selected', String(chosen));
  if (expanded === null) row.removeAttribute('aria-expanded');
  else row.setAttribute('aria-expanded', String(expanded));
}

function cellElement(column: RunColumn, i: number, drawing: Drawing): HTMLElement {
  const { node } = drawing;
  const { id, kind } = column;
  const text = column.text(node.row, t);
  const attributes = { class: `cell ${kind} col-${id}`, 'aria-colindex': String(i + 1) };
  if (id === 'star') return element('div', { role: 'gridcell', ...attributes }, ...starCell(drawing));
  if (id === 'plan') return element('div', { role: 'rowheader', ...attributes, title: node.run.label }, ...nameCell(drawing, text)); // prettier-ignore
  if (id === 'state') return element('div', { role: 'gridcell', ...attributes, title: node.row.caution || text }, ...stateCell(drawing, text)); // prettier-ignore
  if (id === 'tags')
    return element(
      'div',
      { role: 'gridcell', ...attributes, title: text },
      ...node.row.tags.map((tag) => element('span', { class: 'tag', text: tag })),
    );
  return element('div', { role: 'gridcell', ...attributes, title: text, text });
}

function starCell({ node }: Drawing): HTMLElement[] {
  const { row, run } = node;
  const check = element('span', { class: 'check', 'aria-hidden': 'true' });
  if (row.point !== null) return [check];
  return [
    check,
    element('button', {
      type: 'button',
      class: `star-button${row.star ? ' on' : ''}`,
      tabindex: '-1',
      'aria-pressed': String(row.star),
      'aria-label': t('Star of {0}', run.label),
      title: row.star ? t('Remove the star') : t('Add a star'),
      text: row.star ? '★' : '☆',
    }),
  ];
}

const nameCell = ({ node, expanded, colour, theme }: Drawing, text: string): (HTMLElement | SVGElement)[] => [
  element('span', { class: 'twisty', 'aria-hidden': 'true', text: expanded === null ? '' : expanded ? '▾' : '▸' }),
  ...(colour === undefined ? [] : [badge(runShape(colour), runColour(theme, colour))]),
  element('span', { class: 'name', text }),
  // A baseline's name contains its method, unless the user renamed it.
  ...(node.row.point === null && node.row.method !== 'lc' && !node.row.name.endsWith(node.row.method)
    ? [element('span', { class: 'method-note', text: node.row.method })]
    : []),
];

function stateCell({ node }: Drawing, text: string): (HTMLElement | SVGElement)[] {
  const { state, caution } = node.row;
  if (node.row.point !== null) return [];
  // A warning has a shape and a word too, in every state of the run.
  const isWarned = state === 'doubtful' || caution !== '';
  return [
    element('span', { class: `state-dot ${state}`, 'aria-hidden': 'true' }),
    element('span', { class: 'name', text }),
    ...(isWarned ? [icon('warning'), element('span', { class: 'visually-hidden', text: t('has warnings') })] : []),
  ];
}
