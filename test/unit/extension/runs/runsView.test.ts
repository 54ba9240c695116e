/** The tree of runs: what the editor gets when it looks twice, and what changes redraw. */
import { expect, test, vi } from 'vitest';
import * as vscode from '../vscode.js';
import { RunsView } from '../../../../extension/views/runsView.js';

const summary = (run: string, plan: string, state = 'running') =>
  ({ run, name: run, plan, state, method: 'lc', started: 1, iteration: 1, iterations: 8, progress: 0.1, error: 0.5, kept: null, etaSeconds: 1 }) as never; // prettier-ignore

const NO_SWEEPS = { onDidChange: () => {}, of: () => undefined, valuesOf: () => undefined };

function stand(sweeps: object = NO_SWEEPS) {
  const changed = new vscode.EventEmitter<unknown>();
  const reset = new vscode.EventEmitter<void>();
  const runs = { all: [] as never[], onDidChangeRun: changed.event, onDidReset: reset.event };
  Object.assign(vscode.window, {
    createTreeView: () => ({ visible: false, onDidChangeVisibility: () => {}, dispose: () => {} }),
  });
  const view = new RunsView(runs as never, sweeps as never, () => {});
  const redrawn = vi.fn();
  view.onDidChangeTreeData(redrawn);
  return { view, runs, changed, redrawn };
}

test('overlapping looks of the editor get the same rows, and none has an id that could clash', () => {
  const { view, runs } = stand();
  runs.all = [summary('a', 'one'), summary('b', 'two'), summary('c', 'one')];
  const [first, second] = [view.getChildren(), view.getChildren()];
  expect(second[0]).toBe(first[0]);
  const rows = first.flatMap((plan) => view.getChildren(plan));
  expect(first.flatMap((plan) => view.getChildren(plan))).toEqual(rows);
  second.flatMap((plan) => view.getChildren(plan)).forEach((row, i) => expect(row).toBe(rows[i]));
  for (const row of [...first, ...rows]) expect(view.getTreeItem(row).id).toBeUndefined();
});

test('progress and the end redraw the row of the run, a new one the whole tree', () => {
  const { view, runs, changed, redrawn } = stand();
  runs.all = [summary('a', 'one')];
  const [plan] = view.getChildren();
  const [row] = view.getChildren(plan);
  const end = summary('a', 'one', 'done');
  changed.fire({ run: 'a', before: runs.all[0], after: end });
  expect(redrawn).toHaveBeenLastCalledWith(row);
  expect(view.getTreeItem(row!).contextValue).toBe('run.done');
  changed.fire({ run: 'b', before: null, after: summary('b', 'one') });
  expect(redrawn).toHaveBeenLastCalledWith(undefined);
});

test('a run in a queue and a plan with a file have menus of their own', () => {
  const { view, runs } = stand();
  const job = { on: 'slurm', id: '12', state: 'running', node: 'n7' };
  runs.all = [{ ...(summary('a', 'one') as object), job, planFile: '/work/one.prune.json' } as never];
  const [plan] = view.getChildren();
  const [row] = view.getChildren(plan);
  expect(view.getTreeItem(plan!).contextValue).toBe('plan.file');
  expect(view.getTreeItem(row!).contextValue).toBe('run.running.job');
});

test('the runs of a sweep are under it, by the values of their points, and its other runs beside it', () => {
  const sweep = { sweep: '/work/.lcprune/sweeps/x', workspace: '/work', name: 'budgets', planPath: 'one.prune.json', started: 1, isRunning: true, points: [{ values: 'budget.keep=5%', run: 'a' }, { values: 'budget.keep=1%', run: null }] }; // prettier-ignore
  const sweeps = {
    ...NO_SWEEPS,
    of: ({ run }: { run: string }) => (run === 'a' ? sweep : undefined),
    valuesOf: (run: string) => (run === 'a' ? 'budget.keep=5%' : undefined),
    progress: () => ({ state: 'running', done: 1, failed: 0, total: 2 }),
  };
  const { view, runs } = stand(sweeps);
  runs.all = [summary('b', 'one'), summary('a', 'one', 'done')];
  const [plan] = view.getChildren();
  const [group, other, ...rest] = view.getChildren(plan);
  expect(rest).toEqual([]);
  expect(view.getTreeItem(group!)).toMatchObject({ description: '1/2 done · running', contextValue: 'sweep.running' });
  expect(view.getTreeItem(group!).label).toMatch(/^Sweep budgets /);
  const [point] = view.getChildren(group);
  expect(view.getTreeItem(point!).label).toBe('budget.keep=5%');
  expect(view.getTreeItem(other!).contextValue).toBe('run.running');
  expect(view.getParent(point!)).toBe(group);
  expect(view.getParent(group!)).toBe(plan);
  // A second look of the editor gets the same rows.
  view.getChildren();
  expect(view.getChildren(plan)[0]).toBe(group);
});
