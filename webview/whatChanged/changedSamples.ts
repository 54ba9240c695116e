/** The samples whose answer changed: as pictures, or as rows. */
import type { ChangedSample, WhatChanged } from '../../daemon/protocol/whatChanged.js';
import { picture, shownNumber } from '../dataPage/dataSamples.js';
import { element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import { t } from '../page/strings.js';
import { choices, section } from './parts.js';

type Filter = 'all' | ChangedSample['verdict'];

/** Most numbers of a row that are shown. */
const COLUMNS = 8;

const said = (answer: string, sure: number | null): string =>
  sure === null ? answer : `${answer} (${percent(sure, 0)})`;

const verdictText = (verdict: ChangedSample['verdict'], numbers: boolean): string => {
  if (numbers) return verdict === 'worse' ? t('further from the target') : t('nearer to the target');
  return { worse: t('now wrong'), better: t('now right'), other: t('otherwise wrong') }[verdict];
};

function card(sample: ChangedSample, at: number, { inputs, result }: WhatChanged): HTMLElement {
  const numbers = result.kind === 'numbers';
  return element(
    'figure',
    { role: 'listitem', class: `sample ${sample.verdict}` },
    ...inputs.flatMap((input) => (input.image ? [picture(input.pictures[at]!, input.image)] : [])),
    element(
      'figcaption',
      {},
      element('strong', { text: verdictText(sample.verdict, numbers) }),
      element('span', { text: numbers ? t('target {0}', sample.label) : t('label {0}', sample.label) }),
      element('span', { text: t('reference {0}', said(sample.reference, sample.referenceSure)) }),
      element('span', { text: t('pruned {0}', said(sample.pruned, sample.prunedSure)) }),
    ),
  );
}

function rows(samples: readonly (readonly [ChangedSample, number])[], { inputs, columns, result }: WhatChanged): HTMLElement {
  const numbers = result.kind === 'numbers';
  // Inputs are shown beside each other; image inputs have no values here.
  const values = inputs.flatMap((input, i) =>
    Array.from({ length: Math.min(COLUMNS, input.values[0]?.length ?? 0) }, (_, at) => ({
      head: columns[i]?.[at] ?? (inputs.length > 1 ? `${input.name} ${at + 1}` : String(at + 1)),
      of: (sample: number) => shownNumber(input.values[sample]?.[at] ?? null),
    })),
  );
  const heads = [t('Sample'), numbers ? t('Target') : t('Label'), t('Reference'), t('Pruned'), t('Verdict')];
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('Samples whose answer changed') },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...[...heads, ...values.map(({ head }) => head)].map((text, i) => element('th', { scope: 'col', class: i >= heads.length ? 'number' : '', text })))),
      element(
        'tbody',
        {},
        ...samples.map(([sample, at]) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row', text: count(sample.index) }),
            ...[
              sample.label,
              said(sample.reference, sample.referenceSure),
              said(sample.pruned, sample.prunedSure),
              verdictText(sample.verdict, numbers),
            ].map((text) => element('td', { text })),
            ...values.map(({ of }) => element('td', { class: 'number', text: of(at) })),
          ),
        ),
      ),
    ),
  );
} // prettier-ignore

export function samplesSection(changed: WhatChanged): HTMLElement {
  const { changed: found, inputs, result } = changed;
  const numbers = result.kind === 'numbers';
  const body = element('div');
  const hasPictures = inputs.some(({ image }) => image !== null);
  const show = (filter: Filter) => {
    const chosen = found.shown
      .map((sample, at) => [sample, at] as const)
      .filter(([{ verdict }]) => filter === 'all' || verdict === filter);
    body.replaceChildren(
      chosen.length === 0
        ? element('p', { class: 'note', text: t('None.') })
        : hasPictures
          ? element(
              'div',
              { class: 'pictures', role: 'list', 'aria-label': t('Samples whose answer changed') },
              ...chosen.map(([sample, at]) => card(sample, at, changed)),
            )
          : rows(chosen, changed),
    );
  };
  show('all');
  const total = found.worse + found.better + found.other;
  const options: [Filter, string][] = [
    ['all', t('All {0}', count(total))],
    ['worse', numbers ? t('Further {0}', count(found.worse)) : t('Now wrong {0}', count(found.worse))],
    ['better', numbers ? t('Nearer {0}', count(found.better)) : t('Now right {0}', count(found.better))],
    ...(numbers ? [] : [['other', t('Otherwise wrong {0}', count(found.other))] as [Filter, string]]),
  ];
  return section(
    'samples',
    t('Samples whose answer changed'),
    choices('verdict', t('Which samples'), options, 'all', (value) => show(value as Filter)),
    element('p', {
      class: 'note',
      text: t('{0} of {1} are shown, {2}.', count(found.shown.length), count(total), found.order),
    }),
    body,
  );
}
