import { setName } from '../chart/evaluations.js';
import { button, element } from '../page/element.js';
import { percent } from '../page/format.js';
import type { DifferenceRow, RunView } from '../messages/monitor.js';
import { badge } from '../page/swatch.js';
import { t } from '../page/strings.js';
import { runColour, runShape, type Theme } from '../page/theme.js';

/** "2.1% error (test)" */
const errorText = ({ errorSet, summary }: RunView, error: number): string =>
  summary.unlabelled
    ? t('{0} unlike the reference', percent(error))
    : errorSet === null
      ? t('{0} error', percent(error))
      : t('{0} error ({1})', percent(error), setName(errorSet));

/** "1.00% kept · 2.1% error (test)" */
function figuresOf(run: RunView): string {
  const { error, kept, prunable } = run.summary;
  return [
    kept !== null && prunable ? t('{0} kept', percent(kept / prunable)) : null,
    error === null ? null : errorText(run, error),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The compared runs as chips with their colour and marker, and the differences of their plans. Hidden for a single run. */
export class RunStrip {
  readonly root = element('section', { class: 'run-strip', hidden: true });
  #key = '';
  /** Values that change while runs are running are written into the existing elements: a chip that is pressed, or has the focus, is not replaced. */
  #figures = new Map<string, HTMLElement>();

  constructor(
    private readonly choose: (run: string) => void,
    private readonly remove: (run: string) => void,
  ) {
    this.root.setAttribute('aria-label', t('Compared runs'));
  }

  show(runs: readonly RunView[], primary: string | null, difference: readonly DifferenceRow[], theme: Theme): void {
    this.root.hidden = runs.length < 2;
    const key = JSON.stringify([runs.map((r) => [r.id, r.name, r.colour]), primary, difference, theme.palette]);
    if (this.root.hidden) return;
    if (key !== this.#key) {
      this.#key = key;
      this.#figures.clear();
      this.root.replaceChildren(
        element('div', { class: 'chips' }, ...runs.map((run) => this.#chip(run, run.id === primary, theme))),
        this.#differences(runs, difference, theme),
      );
    }
    for (const run of runs) {
      const figures = this.#figures.get(run.id)!;
      const text = figuresOf(run);
      if (figures.textContent !== text) figures.textContent = text;
    }
  }

  #chip(run: RunView, current: boolean, theme: Theme): HTMLElement {
    const figures = element('small');
    this.#figures.set(run.id, figures);
    return element(
      'span',
      { class: `chip ${current ? 'current' : ''}` },
      element(
        'button',
        {
          type: 'button',
          class: 'chip-name',
          'aria-pressed': String(current),
          title: t('Show the numbers and layers of {0}', run.name),
          on: { click: () => this.choose(run.id) },
        },
        badge(runShape(run.colour), runColour(theme, run.colour)),
        element('span', { text: run.name }),
        figures,
      ),
      button({ icon: 'close', label: t('Remove {0} from the comparison', run.name), class: 'quiet' }, () =>
        this.remove(run.id),
      ),
    );
  }

  #differences(runs: readonly RunView[], rows: readonly DifferenceRow[], theme: Theme): HTMLElement {
    if (rows.length === 0) return element('p', { class: 'note', text: t('The plans of these runs are the same.') });
    return element(
      'details',
      { class: 'difference', open: true },
      element('summary', { text: t('Settings that differ ({0})', rows.length) }),
      element(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('Settings that differ') },
        element(
          'table',
          {},
          element(
            'thead',
            {},
            element(
              'tr',
              {},
              element('th', { scope: 'col', text: t('Setting') }),
              ...runs.map((run) =>
                element('th', { scope: 'col' }, badge(runShape(run.colour), runColour(theme, run.colour)), run.name),
              ),
            ),
          ),
          element(
            'tbody',
            {},
            ...rows.map((row) =>
              element(
                'tr',
                {},
                element('th', { scope: 'row', text: row.setting }),
                ...row.values.map((value) => element('td', { text: value })),
              ),
            ),
          ),
        ),
      ),
    );
  }
}
