/** Sweeps as the extension knows them: how far they are, which run belongs to which, and when the daemon is asked again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SweepSummary } from '../../../daemon/protocol/runs/sweep.js';
import { Sweeps, sweepProgress } from '../../../extension/sweeps.js';
import { LIMITS } from '../../../extension/limits.js';
import { sweepDescription, sweepIcon } from '../../../extension/views/sweepText.js';
import { EventEmitter } from './vscode.js';

const RUNS = '/work/.lcprune/runs';
const SWEEP = {
  sweep: '/work/.lcprune/sweeps/2026-budgets',
  workspace: '/work',
  name: 'budgets',
  planPath: 'one.prune.json',
  started: 1,
  isRunning: false,
  points: [
    { values: 'budget.keep=5%', run: `${RUNS}/a` },
    { values: 'budget.keep=1%', run: `${RUNS}/b` },
    { values: 'budget.keep=0.1%', run: null },
  ],
} as unknown as SweepSummary;

const states = (a: string, b: string) => (run: string) => ({ state: run.endsWith('a') ? a : b }) as never;

test.each([
  [false, 'done', 'done', { state: 'stopped', done: 2, failed: 0, total: 3 }, '2/3 done · stopped'],
  [true, 'done', 'done', { state: 'running', done: 2, failed: 0, total: 3 }, '2/3 done · running'],
  [false, 'done', 'queued', { state: 'running', done: 1, failed: 0, total: 3 }, '1/3 done · running'],
  [false, 'failed', 'interrupted', { state: 'stopped', done: 0, failed: 1, total: 3 }, '0/3 done · 1 failed · stopped'],
])('executed %s, runs %s and %s: %j', (isRunning, a, b, progress, text) => {
  const found = sweepProgress({ ...SWEEP, isRunning }, states(a, b));
  expect(found).toEqual(progress);
  expect(sweepDescription(found)).toBe(text);
});

test('one whose points are all done is done, and one with failures is no pass', () => {
  const whole = sweepProgress({ ...SWEEP, points: SWEEP.points.slice(0, 2) }, states('done', 'done'));
  expect(sweepDescription(whole)).toBe('2/2 done');
  expect(sweepIcon(whole).id).toBe('pass');
  expect(sweepIcon({ state: 'stopped', failed: 1 }).id).toBe('error');
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the daemon is asked when a run has another state, not when it makes progress', async () => {
  const changed = new EventEmitter<unknown>();
  const reset = new EventEmitter<void>();
  const request = vi.fn(async () => [SWEEP]);
  const sweeps = new Sweeps(
    { request, log: { error: expect.unreachable } } as never,
    { get: () => undefined, onDidReset: reset.event, onDidChangeRun: changed.event } as never,
  );
  const shown = vi.fn();
  sweeps.onDidChange(shown);
  reset.fire();
  await vi.advanceTimersByTimeAsync(0);
  expect(request).toHaveBeenCalledTimes(1);
  expect(shown).toHaveBeenCalledTimes(1);
  changed.fire({ run: 'a', before: { state: 'running' }, after: { state: 'running' } });
  await vi.advanceTimersByTimeAsync(2 * LIMITS.sweepPause);
  expect(request).toHaveBeenCalledTimes(1);
  changed.fire({ run: 'a', before: { state: 'running' }, after: { state: 'done' } });
  changed.fire({ run: 'b', before: null, after: { state: 'running' } });
  await vi.advanceTimersByTimeAsync(2 * LIMITS.sweepPause);
  expect(request).toHaveBeenCalledTimes(2);
  expect(sweeps.valuesOf(`${RUNS}/b`)).toBe('budget.keep=1%');
  const baseline = { run: `${RUNS}/m`, folder: `${RUNS}/m`, baselineOf: 'a' } as never;
  expect(sweeps.of(baseline)).toBe(SWEEP);
  expect(sweeps.of({ run: `${RUNS}/x`, folder: `${RUNS}/x` } as never)).toBeUndefined();
});

test('a sweep whose process is between two runs is asked about again, until it ends', async () => {
  const reset = new EventEmitter<void>();
  const answers = [[{ ...SWEEP, isRunning: true }], [SWEEP]];
  const request = vi.fn(async () => answers.shift() ?? [SWEEP]);
  const sweeps = new Sweeps(
    { request, log: { error: expect.unreachable } } as never,
    { get: states('done', 'done'), onDidReset: reset.event, onDidChangeRun: () => {} } as never,
  );
  reset.fire();
  await vi.advanceTimersByTimeAsync(0);
  expect(sweeps.progress(sweeps.all[0]!).state).toBe('running');
  await vi.advanceTimersByTimeAsync(5 * LIMITS.sweepPause);
  expect(sweeps.progress(sweeps.all[0]!).state).toBe('stopped');
  expect(request).toHaveBeenCalledTimes(2);
});
