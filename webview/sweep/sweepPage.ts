import { sweepColumns } from '../../daemon/protocol/runs/sweepColumns.js';
import type { SweepResults, SweepRow } from '../../daemon/protocol/runs/sweepResults.js';
import { setName } from '../chart/evaluations.js';
import { chartHelp } from '../chartCard/help.js';
import { helpOn } from '../chartCard/helpOn.js';
import type { FromSweepPage, ToSweepPage } from '../messages/sweep.js';
import { button, element } from '../page/element.js';
import { oncePerFrame } from '../page/oncePerFrame.js';
import { t } from '../page/strings.js';
import { observeTheme, readTheme } from '../page/theme.js';
import { rowKey, rowText, sweepCurves } from './curves.js';
import { methodName, SweepPlot } from './sweepPlot.js';

/** A sweep: its plot and its table, of the runs that have finished so far. */
export class SweepPage {
  #name = element('h1', {});
  #plan = element('p', { class: 'subtitle' });
  #progress = element('p', { class: 'sweep-progress', role: 'status' });
  #problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  #none = element('p', { class: 'note', hidden: true, text: t('No run of this sweep has finished yet: rows appear here as they do.') }); // prettier-ignore
  #text = element('p', { class: 'path-text' });
  #plot = new SweepPlot((row) => this.#choose(rowKey(row)));
  #monitor: HTMLButtonElement;
  #files: HTMLButtonElement[];
  #card: HTMLElement;
  #table = element('div', { class: 'sweep-table' });
  #note = element('p', { class: 'note' });
  #results: SweepResults = { rows: [], set: null };
  #isKnown = false;
  /** Key of a row: the user's choice, else the page's own. */
  #chosen = '';
  #isByUser = false;
  #theme = readTheme();
  #schedule = oncePerFrame(() => this.#render());

  constructor(
    root: HTMLElement,
    private readonly post: (message: FromSweepPage) => void,
  ) {
    const title = t('Error against kept weights');
    const help = helpOn(title, 'sweep', chartHelp().sweep);
    this.#monitor = button(
      { icon: 'chart', text: t('Show in the monitor'), label: t('Show the runs of this row in the monitor') },
      () => post({ type: 'show', runs: this.#row()?.folders ?? [] }),
    );
    this.#files = [
      button({ text: t('As Markdown'), label: t('Write the table as Markdown and show it'), class: 'quiet word' }, () => post({ type: 'asText', format: 'markdown' })),
      button({ text: t('As CSV'), label: t('Write the table as CSV and show it'), class: 'quiet word' }, () => post({ type: 'asText', format: 'csv' })),
    ]; // prettier-ignore
    this.#card = element(
      'section',
      { class: 'card path-card', 'aria-labelledby': 'title-sweep', hidden: true },
      element(
        'header',
        {},
        element('h2', { id: 'title-sweep', text: title }),
        element('div', { class: 'card-actions' }, help.button),
      ),
      help.text,
      this.#plot.legend,
      this.#plot.plot as unknown as HTMLElement,
      element('div', { class: 'path-choice' }, this.#text, this.#monitor),
    );
    root.classList.add('sweep-page');
    root.append(
      element(
        'header',
        { class: 'sweep-bar' },
        element('div', {}, this.#name, this.#plan),
        this.#progress,
        element('div', { class: 'controls', role: 'group', 'aria-label': t('The table as text') }, ...this.#files),
      ),
      this.#problem,
      this.#none,
      this.#card,
      this.#table,
      this.#note,
    );
    this.#table.addEventListener('click', (event) => {
      const key = (event.target as Element).closest<HTMLElement>('tbody tr')?.dataset.key;
      if (key !== undefined) this.#choose(key);
    });
    observeTheme((theme) => {
      this.#theme = theme;
      this.#schedule();
    });
  }

  receive(message: ToSweepPage): void {
    switch (message.type) {
      case 'sweep':
        this.#name.textContent = message.name;
        this.#plan.textContent = message.plan;
        if (this.#progress.textContent !== message.progress) this.#progress.textContent = message.progress;
        for (const one of this.#files) one.disabled = !message.trusted;
        break;
      case 'results':
        this.#results = message.results;
        this.#isKnown = true;
        this.#schedule();
        break;
      case 'problem':
        this.#problem.hidden = message.message === null;
        this.#problem.textContent = message.message;
        break;
    }
  }

  #row(): SweepRow | undefined {
    return this.#results.rows.find((row) => rowKey(row) === this.#chosen);
  }

  #choose(key: string): void {
    this.#chosen = key;
    this.#isByUser = true;
    this.#plot.mark(key);
    this.#showChosen();
  }

  /** The text, the table's mark and the button's runs are those of the chosen row. */
  #showChosen(): void {
    const row = this.#row();
    this.#text.textContent = row ? rowText(row, methodName(row.method), this.#results.set) : '';
    this.#monitor.disabled = !row;
    for (const line of this.#table.querySelectorAll<HTMLElement>('tbody tr')) {
      const isChosen = line.dataset.key === this.#chosen;
      line.classList.toggle('selected', isChosen);
      line.querySelector('button')!.setAttribute('aria-pressed', String(isChosen));
    }
  }

  #render(): void {
    const { rows, set } = this.#results;
    this.#none.hidden = !this.#isKnown || rows.length > 0;
    // Without a choice of the user, the smallest network that no other row beats, on the first curve that has one.
    const points = sweepCurves(rows).flatMap((curve) => curve.points);
    if (!this.#isByUser || !this.#row()) this.#chosen = rowKey((points.find(({ row }) => row.best)?.row ?? rows[0]) ?? { values: {}, method: '' });
    // Shown first: a hidden plot has no width.
    this.#card.hidden = points.length === 0;
    this.#plot.show(this.#results, this.#chosen, this.#theme);
    const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>('tbody tr')?.dataset.key;
    this.#table.replaceChildren(...(rows.length > 0 ? [tableOf(rows)] : []));
    this.#showChosen();
    // A row of the new table takes the focus that the old one had.
    for (const line of this.#table.querySelectorAll<HTMLElement>('tbody tr'))
      if (line.dataset.key === focused) line.querySelector('button')!.focus();
    const part = set === null ? '' : ` ${t('Errors are of the {0} part of the data.', setName(set))}`;
    this.#note.textContent = `${t('Errors: mean ± sample standard deviation over the seeds, as drawn; one run has no deviation. A ring, or "*": no other row has less error with as few weights.')}${part}`;
    this.#note.hidden = rows.length === 0;
  } // prettier-ignore
}

/** Each row begins with a button that chooses it. */
function tableOf(rows: readonly SweepRow[]): HTMLElement {
  const columns = sweepColumns(rows);
  const style = (isNumber: boolean) => (isNumber ? 'number' : '');
  return element(
    'table',
    {},
    element('caption', { class: 'visually-hidden', text: t('Results of the sweep') }),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...columns.map(({ title, isNumber }) => element('th', { scope: 'col', class: style(isNumber), text: t(title) })),
      ),
    ),
    element(
      'tbody',
      {},
      ...rows.map((row) =>
        element(
          'tr',
          { 'data-key': rowKey(row) },
          ...columns.map(({ text, isNumber }, i) =>
            i === 0
              ? element('th', { scope: 'row' }, element('button', { type: 'button', class: 'link', text: text(row) || '–' }))
              : element('td', { class: style(isNumber), text: text(row) }),
          ),
        ),
      ),
    ),
  );
} // prettier-ignore
