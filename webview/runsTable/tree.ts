/** Selects and sorts the rows of a table of runs: baselines and points of a path stand under their run. */
import {
  byColumn,
  columnOf,
  fits,
  searchText,
  searchWords,
  type Direction,
  type Say,
} from '../../daemon/protocol/runs/columns.js';
import { pointRows, runRow, type RunRow } from '../../daemon/protocol/runs/runRow.js';
import type { TableRun } from '../messages/runs.js';

export interface TableNode {
  /** The key of the run, and of a point appended to it: unique in the table. */
  readonly key: string;
  readonly run: TableRun;
  readonly row: RunRow;
  /** The text that a search is applied to. */
  readonly text: string;
  /** For a run that is not a baseline: its baselines, the older first, then its points. */
  readonly children: readonly TableNode[];
}

export interface VisibleRow {
  readonly node: TableNode;
  readonly level: 1 | 2;
  /** null: it has no children. */
  readonly expanded: boolean | null;
}

export interface Wishes {
  readonly query: string;
  /** Only runs in this state; '': all. */
  readonly state: string;
  readonly starred: boolean;
  readonly column: string;
  readonly direction: Direction;
}

const nodeOf = (run: TableRun, row: RunRow, children: readonly TableNode[], say?: Say): TableNode => ({
  key: row.point === null ? run.id : `${run.id}\0${row.point}`,
  run,
  row,
  text: `${run.label.toLowerCase()}\n${searchText(row, say)}`,
  children,
});

/** @param now for the duration of active runs. */
export function runTree(runs: readonly TableRun[], say?: Say, now = Date.now()): TableNode[] {
  const known = new Set(runs.map(({ id }) => id));
  const baselines = new Map<string, TableRun[]>();
  for (const run of runs)
    if (run.parent !== null && run.parent !== run.id && known.has(run.parent))
      baselines.set(run.parent, [...(baselines.get(run.parent) ?? []), run]);
  const nested = new Set([...baselines.values()].flat().map(({ id }) => id));
  const make = (run: TableRun, under: readonly TableRun[]): TableNode => {
    const row = runRow(run, { now, folder: run.folder });
    const points = pointRows(run, row).map((point) => nodeOf(run, point, [], say));
    const below = [...under].sort((a, b) => a.started - b.started).map((one) => make(one, []));
    return nodeOf(run, row, [...below, ...points], say);
  };
  return runs.filter(({ id }) => !nested.has(id)).map((run) => make(run, baselines.get(run.id) ?? []));
}

/** The rows to show. A run is shown if it or one of its children matches; its children are then shown unless it is folded. */
export function visibleRows(tree: readonly TableNode[], wishes: Wishes, folded: ReadonlySet<string>): VisibleRow[] {
  const words = searchWords(wishes.query);
  const wanted = ({ row, text }: TableNode) =>
    (wishes.state === '' || row.state === wishes.state) && (!wishes.starred || row.star) && fits(text, words);
  const column = columnOf(wishes.column) ?? columnOf('date')!;
  const compare = byColumn(column, wishes.direction);
  const rows: VisibleRow[] = [];
  for (const node of [...tree].sort((a, b) => compare(a.row, b.row))) {
    const own = wanted(node);
    const below = node.children.filter(wanted);
    if (!own && below.length === 0) continue;
    const expanded = node.children.length === 0 ? null : !folded.has(node.key);
    rows.push({ node, level: 1, expanded });
    // All children of a matching run are visible.
    if (expanded) for (const child of own ? node.children : below) rows.push({ node: child, level: 2, expanded: null });
  }
  return rows;
} // prettier-ignore
