import {
  columnOf,
  RUN_COLUMNS,
  runsCsv,
  runsMarkdown,
  stateText,
  type Direction,
} from '../../daemon/protocol/runs/columns.js';
import { button, element } from '../page/element.js';
import { oncePerFrame } from '../page/oncePerFrame.js';
import { t } from '../page/strings.js';
import { observeTheme, readTheme, type Theme } from '../page/theme.js';
import { RunsGrid } from './grid.js';
import type { FromRunsTable, TableAction, TableRun, ToRunsTable } from '../messages/runs.js';
import { runTree, visibleRows, type TableNode, type VisibleRow, type Wishes } from './tree.js';

/** The page's settings, kept over a reload. */
export type TableState = Partial<Wishes>;

const STATES = ['running', 'paused', 'done', 'doubtful', 'stopped', 'interrupted', 'crashed', 'failed'] as const;

interface Host {
  post(message: FromRunsTable): void;
  state(): TableState;
  remember(state: TableState): void;
}

/** The table of runs: handles the host's messages, and sends actions on runs. */
export class RunsPage {
  #runs = new Map<string, TableRun>();
  #tree: TableNode[] = [];
  #isTreeOld = false;
  #rows: VisibleRow[] = [];
  #wishes: Wishes;
  /** Keys of the folded rows. */
  #folded = new Set<string>();
  #colours: Readonly<Record<string, number>> = {};
  #trusted = true;
  #theme: Theme = readTheme();
  /** Several messages in a frame are one change of the page. */
  #schedule = oncePerFrame(() => this.#render());
  #banner = element('p', { class: 'banner', role: 'alert', hidden: true });
  #count = element('span', { class: 'note', role: 'status' });
  #search: HTMLInputElement;
  #state: HTMLSelectElement;
  #starred: HTMLButtonElement;
  #actions = new Map<TableAction, HTMLButtonElement>();
  #empty: HTMLElement;
  #none = element('p', { class: 'note no-match', text: t('No run fits this filter.'), hidden: true });
  #grid: RunsGrid;

  constructor(
    root: HTMLElement,
    private readonly host: Host,
  ) {
    const kept = host.state();
    const column = columnOf(kept.column ?? '') ? kept.column! : 'date';
    this.#wishes = { query: '', state: '', starred: false, direction: 'descending', ...kept, column };
    this.#grid = new RunsGrid(
      {
        open: (node) => this.#act('open', [node]),
        remove: () => this.#act('delete'),
        star: ({ row, run }) => host.post({ type: 'star', run: run.id, star: !row.star }),
        fold: (node, folded) => {
          if (folded) this.#folded.add(node.key);
          else this.#folded.delete(node.key);
          this.#render();
          this.#grid.focus();
        },
        sort: (id) => this.#sort(id),
        changed: () => this.#showActions(),
      },
      () => ({ theme: this.#theme }),
    );
    this.#search = element('input', {
      type: 'search',
      id: 'search',
      placeholder: t('Filter'),
      'aria-label': t('Filter by plan, state, budget, engine, tags, notes and more'),
      value: this.#wishes.query,
      on: {
        input: () => this.#wish({ query: this.#search.value }),
        keydown: (event) => {
          if ((event as KeyboardEvent).key !== 'ArrowDown') return;
          event.preventDefault();
          this.#grid.focus();
        },
      },
    });
    this.#state = element(
      'select',
      { id: 'state', 'aria-label': t('State'), on: { change: () => this.#wish({ state: this.#state.value }) } },
      element('option', { value: '', text: t('All states') }),
      ...STATES.map((state) => element('option', { value: state, text: stateText(state, t), selected: state === this.#wishes.state })), // prettier-ignore
    );
    this.#starred = element('button', {
      type: 'button',
      class: 'quiet word',
      'aria-pressed': String(this.#wishes.starred),
      text: t('★ Starred'),
      title: t('Only runs with a star'),
      on: { click: () => this.#wish({ starred: !this.#wishes.starred }) },
    });
    const act = (action: TableAction, text: string, label: string, style = '') => {
      const made = button({ text, label, class: style }, () => this.#act(action));
      this.#actions.set(action, made);
      return made;
    };
    this.#empty = element(
      'section',
      { class: 'empty', hidden: true },
      element('h1', { text: t('No runs yet') }),
      element('p', { text: t('Start a run from a plan or a model: it is listed here.') }),
      button({ icon: 'play', text: t('Prune a model...'), label: t('Prune a model'), class: 'primary' }, () => host.post({ type: 'start' })), // prettier-ignore
    );
    root.classList.add('runs-page');
    root.append(
      element(
        'header',
        { class: 'runs-bar' },
        element('h1', { class: 'visually-hidden', text: t('Runs') }),
        element('div', { class: 'runs-filter', role: 'search' }, this.#search, this.#state, this.#starred, this.#count),
        element(
          'div',
          { class: 'controls', role: 'toolbar', 'aria-label': t('What to do with the chosen runs') },
          act('open', t('Open'), t('Open in the monitor (Enter)'), 'primary'),
          act('compare', t('Compare'), t('Compare the chosen runs in the monitor')),
          act('star', t('Star'), t('Add a star, or remove it where all have one')),
          act('tags', t('Tags...'), t('Change the tags')),
          act('note', t('Note...'), t('Change the note')),
          act('rename', t('Rename...'), t('Give the run a name')),
          act('export', t('Export...'), t('Export the pruned model')),
          act('plan', t('Open Plan'), t('Open the plan of the run')),
          act('delete', t('Delete...'), t('Delete the chosen runs (Delete)')),
        ),
        element(
          'div',
          { class: 'controls', role: 'group', 'aria-label': t('The table as text') },
          button({ text: t('Copy as Markdown'), label: t('Copy the rows on show, or the chosen ones, as a Markdown table'), class: 'quiet word' }, () => this.#copy('markdown')), // prettier-ignore
          button({ text: t('Copy as CSV'), label: t('Copy the rows on show, or the chosen ones, as CSV'), class: 'quiet word' }, () => this.#copy('csv')), // prettier-ignore
          button({ icon: 'save', label: t('Save the rows on show, or the chosen ones, as a CSV file'), class: 'quiet' }, () => this.#save()), // prettier-ignore
        ),
      ),
      this.#banner,
      this.#empty,
      this.#none,
      this.#grid.scroller,
    );
    observeTheme((theme) => {
      this.#theme = theme;
      this.#grid.redraw();
    });
    this.#showActions();
  }

  receive(message: ToRunsTable): void {
    switch (message.type) {
      case 'runs':
        this.#runs = new Map(message.runs.map((run) => [run.id, run]));
        this.#trusted = message.trusted;
        this.#isTreeOld = true;
        break;
      case 'run':
        if (message.run) this.#runs.set(message.id, message.run);
        else this.#runs.delete(message.id);
        this.#isTreeOld = true;
        break;
      case 'shown':
        this.#colours = message.colours;
        break;
      case 'connection':
        this.#banner.hidden = message.problem === null;
        this.#banner.textContent = message.problem;
        break;
    }
    this.#schedule();
  }

  #render(): void {
    if (this.#isTreeOld) this.#tree = runTree([...this.#runs.values()], t);
    this.#isTreeOld = false;
    this.#rows = visibleRows(this.#tree, this.#wishes, this.#folded);
    const shown = this.#rows.filter(({ node }) => node.row.point === null).length;
    const all = this.#runs.size;
    this.#empty.hidden = all > 0;
    this.#none.hidden = all === 0 || this.#rows.length > 0;
    this.#grid.scroller.hidden = this.#rows.length === 0;
    const count = shown === all ? t('{0} runs', all) : t('{0} of {1} runs', shown, all);
    if (this.#count.textContent !== count) this.#count.textContent = count;
    this.#starred.setAttribute('aria-pressed', String(this.#wishes.starred));
    this.#grid.show(this.#rows, this.#wishes, this.#colours);
    this.#showActions();
  }

  #wish(part: Partial<Wishes>): void {
    this.#wishes = { ...this.#wishes, ...part };
    this.host.remember(this.#wishes);
    this.#render();
  }

  /** A second press reverses the order; numbers and dates begin with the largest. */
  #sort(column: string): void {
    const isSame = column === this.#wishes.column;
    const first: Direction = RUN_COLUMNS.find(({ id }) => id === column)?.kind === 'text' ? 'ascending' : 'descending';
    const other: Direction = this.#wishes.direction === 'ascending' ? 'descending' : 'ascending';
    this.#wish({ column, direction: isSame ? other : first });
  }

  #showActions(): void {
    const nodes = this.#grid.inHand;
    const runs = new Set(nodes.map(({ run }) => run.id));
    const one = runs.size === 1;
    const may: Record<TableAction, boolean> = {
      open: one,
      compare: runs.size > 1,
      star: runs.size > 0 && this.#trusted,
      tags: runs.size > 0 && this.#trusted,
      note: one && this.#trusted,
      rename: one && this.#trusted,
      export: one && this.#trusted && nodes.every(({ row }) => ['done', 'doubtful', 'stopped'].includes(row.state)),
      plan: one,
      delete: nodes.length > 0 && this.#trusted && nodes.every(({ row }) => row.point === null),
    };
    for (const [action, made] of this.#actions) made.disabled = !may[action];
  }

  #act(action: TableAction, nodes: readonly TableNode[] = this.#grid.inHand): void {
    if (this.#actions.get(action)!.disabled && action !== 'open') return;
    const runs = [...new Set(nodes.map(({ run }) => run.id))];
    if (runs.length === 0) return;
    const point = action === 'export' && nodes.length === 1 ? nodes[0]!.row.point : null;
    this.host.post({ type: 'act', action, runs, point });
  }

  /** The selected rows, else all visible ones. */
  #told(): TableNode['row'][] {
    const nodes = this.#grid.chosen.size > 0 ? this.#grid.inHand : this.#rows.map(({ node }) => node);
    return nodes.map(({ row }) => row);
  }

  #copy(what: 'csv' | 'markdown'): void {
    const rows = this.#told();
    this.host.post({ type: 'copy', what, text: what === 'csv' ? runsCsv(rows) : runsMarkdown(rows, t) });
  }

  #save(): void {
    this.host.post({ type: 'save', text: runsCsv(this.#told()) });
  }
}
