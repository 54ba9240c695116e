/** Which classes are confused: a matrix for each network and their difference, or the pairs if there are many classes. */
import type { WhatChanged } from '../../daemon/protocol/whatChanged.js';
import { element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import { t } from '../page/strings.js';
import { choices, scrollTable, section, signed } from './parts.js';

type Classes = Extract<WhatChanged['result'], { kind: 'classes' }>;
type Shown = 'reference' | 'pruned' | 'difference';

/** Number of shades of a cell, up to the largest entry off the diagonal. */
const SHADES = 5;

function cellsOf({ reference, pruned }: NonNullable<Classes['matrices']>, shown: Shown): number[][] {
  if (shown !== 'difference') return shown === 'reference' ? reference : pruned;
  return pruned.map((row, i) => row.map((value, j) => value - reference[i]![j]!));
}

/** Right answers are many and expected: only errors are shaded, by their number. */
function table(names: readonly string[], cells: readonly (readonly number[])[], shown: Shown): HTMLElement {
  const errors = cells.flatMap((row, i) => row.filter((_, j) => i !== j)).map(Math.abs);
  const most = Math.max(1, ...errors);
  const shade = (value: number, wrong: boolean) => {
    if (value === 0 || !wrong) return '';
    const level = Math.max(1, Math.ceil((SHADES * Math.abs(value)) / most));
    return ` ${shown === 'difference' && value < 0 ? 'fewer' : 'more'}-${level}`;
  };
  return element(
    'div',
    { class: 'scroll matrix-scroll', tabindex: '0', role: 'region', 'aria-label': t('Confusion matrix') },
    element(
      'table',
      { class: 'matrix' },
      element('caption', { text: t('Rows: the label. Columns: the answer.') }),
      element('thead', {}, element('tr', {}, element('td'), ...names.map((name) => element('th', { scope: 'col', text: name, title: name })))),
      element(
        'tbody',
        {},
        ...cells.map((row, i) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row', text: names[i]!, title: names[i]! }),
            ...row.map((value, j) =>
              element('td', {
                class: `number${i === j ? ' right' : ''}${shade(value, i !== j)}`,
                text: value === 0 && i !== j ? '' : shown === 'difference' ? signed(value) : count(value),
                title: t('{0} taken for {1}', names[i]!, names[j]!),
              }),
            ),
          ),
        ),
      ),
    ),
  );
} // prettier-ignore

export function confusionSection({ classes, matrices, pairs }: Classes): HTMLElement {
  const id = 'confusion';
  if (!matrices) {
    const rows = (pairs ?? []).map(({ label, answer, reference, pruned }) => ({
      head: t('{0} taken for {1}', label, answer),
      cells: [count(reference), count(pruned), signed(pruned - reference)],
    }));
    const header = [t('Confused'), t('Reference'), t('Pruned'), t('Difference')];
    return section(id, t('Most confused'), null, scrollTable(t('Most confused'), header, rows));
  }
  const names = classes.map(({ name }) => name);
  const body = element('div');
  const show = (shown: Shown) => body.replaceChildren(table(names, cellsOf(matrices, shown), shown));
  show('pruned');
  const options = [
    ['reference', t('Reference')],
    ['pruned', t('Pruned')],
    ['difference', t('Difference')],
  ] as const;
  return section(
    id,
    t('Confusion matrix'),
    choices('matrix', t('Confusion matrix of'), options, 'pruned', (value) => show(value as Shown)),
    body,
  );
}

/** Errors per class, the largest change first. */
export function classSection({ classes }: Classes): HTMLElement {
  const share = (wrong: number, samples: number) => (samples === 0 ? '–' : percent(wrong / samples));
  const rows = [...classes]
    .sort((a, b) => Math.abs(b.pruned - b.reference) - Math.abs(a.pruned - a.reference))
    .map(({ name, samples, reference, pruned }) => ({
      head: name,
      cells: [count(samples), share(reference, samples), share(pruned, samples), signed(pruned - reference)],
    }));
  const header = [t('Class'), t('Answers'), t('Reference error'), t('Pruned error'), t('More wrong')];
  return section('classes', t('Error per class'), null, scrollTable(t('Error per class'), header, rows));
}

export function labelSection({ labels }: Extract<WhatChanged['result'], { kind: 'labels' }>): HTMLElement {
  const rows = labels.map(({ name, yes, reference, pruned }) => ({
    head: name,
    cells: [yes, reference.missed, reference.invented, pruned.missed, pruned.invented].map((value) => count(value)),
  }));
  const header = [t('Label'), t('Yes'), t('Reference missed'), t('made up'), t('Pruned missed'), t('made up')];
  return section('classes', t('Error per label'), null, scrollTable(t('Error per label'), header, rows));
}
