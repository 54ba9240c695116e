import { shownColumns, type Direction, type RunColumn } from '../../daemon/protocol/runs/columns.js';
import { element } from '../page/element.js';
import { t } from '../page/strings.js';
import type { TableNode, VisibleRow } from './tree.js';
import { oncePerFrame } from '../page/oncePerFrame.js';
import { contentOf, emptyRow, fillRow, placeRow, ROW_HEIGHT, type Drawing } from './row.js';

/** Rows drawn above and below the visible ones. */
const MARGIN = 12;

export interface GridEvents {
  open(node: TableNode): void;
  remove(): void;
  star(node: TableNode): void;
  fold(node: TableNode, folded: boolean): void;
  sort(column: string): void;
  /** Is called when other rows are selected or focused. */
  changed(): void;
}

/**
 * A tree of rows of which only the visible ones are in the page. The arrow keys, Page Up, Page Down, Home and End move the focus between rows; Space
 * and Shift select several, Enter opens, Delete deletes, Left and Right fold.
 */
export class RunsGrid {
  readonly root: HTMLElement;
  /** Keys of the selected rows. */
  readonly chosen = new Set<string>();
  #head = element('div', { role: 'row', class: 'head', 'aria-rowindex': '1' });
  #body = element('div', { role: 'rowgroup', class: 'body' });
  #rows: readonly VisibleRow[] = [];
  #columns: readonly RunColumn[] = [];
  #drawn = new Map<string, { element: HTMLElement; content: string }>();
  /** The row that has the focus when the table has it. */
  #active = '';
  /** The row at which a range selection begins. */
  #anchor = '';
  #sorted: { column: string; direction: Direction } = { column: 'date', direction: 'descending' };
  #colours: Readonly<Record<string, number>> = {};
  #schedule = oncePerFrame(() => this.#draw());
  #scroll: HTMLElement;

  constructor(
    private readonly events: GridEvents,
    private readonly look: () => Pick<Drawing, 'theme'>,
  ) {
    const table = element(
      'div',
      { role: 'treegrid', class: 'table', 'aria-multiselectable': 'true', 'aria-label': t('Runs') },
      element('div', { role: 'rowgroup', class: 'head-group' }, this.#head),
      this.#body,
    );
    this.root = table;
    this.#scroll = element('div', { class: 'grid-scroll', on: { scroll: () => this.#schedule() } }, table);
    new ResizeObserver(() => this.#schedule()).observe(this.#scroll);
    this.#body.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('click', (event) => this.#click(event));
    this.#body.addEventListener('dblclick', (event) => {
      const node = this.#nodeAt(event);
      if (node && !(event.target as Element).closest('button, .check')) this.events.open(node);
    });
    this.#body.addEventListener('focusin', (event) => {
      const key = (event.target as HTMLElement).closest<HTMLElement>('[role=row]')?.dataset.key;
      if (key !== undefined && key !== this.#active) this.#activate(key, false);
    });
    this.#head.addEventListener('keydown', (event) => this.#headKey(event));
  }

  /** The scrolling element. */
  get scroller(): HTMLElement {
    return this.#scroll;
  }

  /** The selected rows in the order of the table, else the focused one. */
  get inHand(): TableNode[] {
    const chosen = this.#rows.filter(({ node }) => this.chosen.has(node.key)).map(({ node }) => node);
    const active = this.#rows.find(({ node }) => node.key === this.#active)?.node;
    return chosen.length > 0 ? chosen : active ? [active] : [];
  }

  show(
    rows: readonly VisibleRow[],
    sorted: { column: string; direction: Direction },
    colours: Readonly<Record<string, number>>,
  ): void {
    this.#rows = rows;
    this.#colours = colours;
    this.#sorted = sorted;
    const keys = new Set(rows.map(({ node }) => node.key));
    for (const key of this.chosen) if (!keys.has(key)) this.chosen.delete(key);
    if (!keys.has(this.#active)) this.#active = rows[0]?.node.key ?? '';
    this.root.setAttribute('aria-rowcount', String(rows.length + 1));
    this.#body.style.height = `${rows.length * ROW_HEIGHT}px`;
    this.#drawHead();
    this.#draw();
  }

  focus(): void {
    this.#scrollTo(this.#indexOf(this.#active));
    this.#draw();
    this.#drawn.get(this.#active)?.element.focus({ preventScroll: true });
  }

  /** Redraws all rows: the theme has changed. */
  redraw(): void {
    for (const { element } of this.#drawn.values()) element.remove();
    this.#drawn.clear();
    this.#draw();
  }

  #indexOf(key: string): number {
    return this.#rows.findIndex(({ node }) => node.key === key);
  }

  /** Columns and the current sorting; the buttons are reused, so that the focus stays. */
  #drawHead(): void {
    const columns = shownColumns(this.#rows.map(({ node }) => node.row));
    const ids = columns.map(({ id }) => id).join(' ');
    if (ids !== this.#columns.map(({ id }) => id).join(' ')) {
      this.#columns = columns;
      this.root.setAttribute('aria-colcount', String(columns.length));
      this.root.style.setProperty('--columns', columns.map(({ id }) => `var(--width-${id})`).join(' '));
      this.#head.replaceChildren(
        ...columns.map(({ id, title, kind }, i) =>
          element(
            'div',
            {
              role: 'columnheader',
              class: `cell ${kind} col-${id}`,
              'data-column': id,
              'aria-colindex': String(i + 1),
            },
            element('button', {
              type: 'button',
              class: 'sort',
              tabindex: i === 0 ? '0' : '-1',
              title: t('Sort by {0}', t(title)),
              ...(id === 'star' ? { 'aria-label': t(title), text: '★' } : { text: t(title) }),
              on: { click: () => this.events.sort(id) },
            }),
          ),
        ),
      );
      this.redraw();
    }
    for (const cell of this.#head.children) {
      const isSorted = (cell as HTMLElement).dataset.column === this.#sorted.column;
      if (isSorted) cell.setAttribute('aria-sort', this.#sorted.direction);
      else cell.removeAttribute('aria-sort');
    }
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.#scroll;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - MARGIN);
    const last = Math.min(this.#rows.length, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + MARGIN);
    const wanted = new Map<string, number>();
    for (let i = first; i < last; i++) wanted.set(this.#rows[i]!.node.key, i);
    // The focused row stays in the page wherever it has been scrolled to: a removed one loses the focus.
    const active = this.#indexOf(this.#active);
    if (active >= 0) wanted.set(this.#active, active);
    const { theme } = this.look();
    const hadFocus = this.#body.contains(document.activeElement);
    for (const [key, { element }] of this.#drawn)
      if (!wanted.has(key)) {
        element.remove();
        this.#drawn.delete(key);
      }
    for (const [key, index] of wanted) {
      const visible = this.#rows[index]!;
      const { node } = visible;
      const drawing: Drawing = {
        ...visible,
        index,
        columns: this.#columns,
        chosen: this.chosen.has(key),
        active: key === this.#active,
        colour: node.row.point === null ? this.#colours[node.run.id] : undefined,
        theme,
      };
      const content = contentOf(drawing);
      const known = this.#drawn.get(key);
      const row = known?.element ?? emptyRow(key);
      placeRow(row, drawing);
      if (known?.content === content) continue;
      fillRow(row, drawing);
      if (!known) this.#body.append(row);
      this.#drawn.set(key, { element: row, content });
    }
    if (hadFocus && !this.#body.contains(document.activeElement))
      this.#drawn.get(this.#active)?.element.focus({ preventScroll: true });
  }

  #nodeAt(event: Event): TableNode | undefined {
    const key = (event.target as Element).closest<HTMLElement>('[role=row]')?.dataset.key;
    return this.#rows.find(({ node }) => node.key === key)?.node;
  }

  #activate(key: string, focus: boolean): void {
    this.#active = key;
    if (focus) this.focus();
    else this.#draw();
    this.events.changed();
  }

  #click(event: MouseEvent): void {
    const node = this.#nodeAt(event);
    if (!node) return;
    const target = event.target as Element;
    if (target.closest('.star-button')) return this.events.star(node);
    if (target.closest('.twisty')) {
      const row = this.#rows.find((one) => one.node === node);
      if (row && row.expanded !== null) this.events.fold(node, row.expanded);
      return;
    }
    if (event.shiftKey) this.#choose(this.#anchor || this.#active, node.key);
    else if (target.closest('.check') || event.ctrlKey || event.metaKey) this.#toggle(node.key);
    else {
      this.chosen.clear();
      this.#anchor = node.key;
    }
    this.#activate(node.key, true);
  }

  #toggle(key: string): void {
    if (!this.chosen.delete(key)) this.chosen.add(key);
    this.#anchor = key;
  }

  /** Selects everything between two rows, and nothing else. */
  #choose(from: string, to: string): void {
    const [a, b] = [this.#indexOf(from), this.#indexOf(to)].sort((x, y) => x - y);
    this.chosen.clear();
    for (const { node } of this.#rows.slice(Math.max(0, a!), b! + 1)) this.chosen.add(node.key);
  }

  #scrollTo(index: number): void {
    if (index < 0) return;
    const head = this.#head.offsetHeight;
    const top = index * ROW_HEIGHT;
    const { scrollTop, clientHeight } = this.#scroll;
    if (top < scrollTop) this.#scroll.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + clientHeight - head)
      this.#scroll.scrollTop = top + ROW_HEIGHT - clientHeight + head;
  }

  #key(event: KeyboardEvent): void {
    // A button in a row handles its own keys.
    if ((event.target as Element).closest('button') && (event.key === ' ' || event.key === 'Enter')) return;
    const index = this.#indexOf(this.#active);
    const row = this.#rows[index];
    if (!row) return;
    const page = Math.max(1, Math.floor(this.#scroll.clientHeight / ROW_HEIGHT) - 2);
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: this.#rows.length - 1 }[event.key]; // prettier-ignore
    const { node, expanded, level } = row;
    if (to !== undefined) {
      const next = this.#rows[Math.min(this.#rows.length - 1, Math.max(0, to))]!.node.key;
      if (event.shiftKey) {
        this.#anchor ||= this.#active;
        this.#choose(this.#anchor, next);
      } else this.#anchor = next;
      this.#activate(next, true);
    } else if (event.key === ' ') {
      this.#toggle(node.key);
      this.#activate(node.key, true);
    } else if (event.key === 'Enter') this.events.open(node);
    else if (event.key === 'Delete' || (event.key === 'Backspace' && event.metaKey)) this.events.remove();
    else if (event.key === 'ArrowRight' && expanded === false) this.events.fold(node, false);
    else if (event.key === 'ArrowRight' && expanded) this.#activate(this.#rows[index + 1]!.node.key, true);
    else if (event.key === 'ArrowLeft' && expanded) this.events.fold(node, true);
    else if (event.key === 'ArrowLeft' && level === 2)
      this.#activate(this.#rows.slice(0, index).findLast((one) => one.level === 1)!.node.key, true);
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      for (const one of this.#rows) this.chosen.add(one.node.key);
      this.#activate(node.key, true);
    } else if (event.key === 'Escape' && this.chosen.size > 0) {
      this.chosen.clear();
      this.#activate(node.key, true);
    } else return;
    event.preventDefault();
  }

  /** The titles share one stop of the Tab key. */
  #headKey(event: KeyboardEvent): void {
    const buttons = [...this.#head.querySelectorAll('button')];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === 'ArrowDown') this.focus();
    else if (to === undefined) return;
    const next = to === undefined ? undefined : buttons[to];
    if (next) {
      for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
      next.focus();
    }
    event.preventDefault();
  }
}
