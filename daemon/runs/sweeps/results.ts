/** The results of a sweep: its finished runs, gathered over their seeds. */
import { basename, join } from 'node:path';
import type { RunEvent } from '../../protocol/events.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import type { SweepRecord, SweepValues } from '../../protocol/runs/sweep.js';
import type { Spread, SweepResults, SweepRow } from '../../protocol/runs/sweepResults.js';
import { runsFolder } from '../../trainer/process/runFolder.js';
import { comparisonOf } from '../comparison.js';
import { lastEvents } from '../eventLog.js';
import { SummaryIndex } from '../list/summaryIndex.js';

/** The key whose values are repetitions of one setting. */
const SEED = 'seed';

type Done = Extract<RunEvent, { event: 'done' }>;

interface Finished {
  readonly values: SweepValues;
  readonly method: string;
  readonly folder: AbsolutePath;
  readonly done: Done;
  readonly bytes: number | null;
}

const meanOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length;

/** @param given null: a run without that number. */
export function spreadOf(given: readonly (number | null)[]): Spread {
  const values = given.filter((value) => value !== null);
  if (values.length === 0) return { mean: null, deviation: null };
  const mean = meanOf(values);
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? null : Math.sqrt(squares / (values.length - 1)) };
}

async function finishedRuns(record: SweepRecord, workspace: string): Promise<Finished[]> {
  const runs = await runsFolder(workspace);
  const index = new SummaryIndex(workspace);
  const found: Finished[] = [];
  const note = async (values: SweepValues, folder: string) => {
    const { state } = await lastEvents(folder).catch(() => ({ state: null }));
    const summary = await index.summary(folder);
    if (state?.event !== 'done' || !summary) return false;
    found.push({
      values,
      method: summary.method,
      folder: folder as AbsolutePath,
      done: state,
      bytes: summary.bytes ?? null,
    });
    return true;
  };
  for (const { values, run } of record.points) {
    if (run === null) continue;
    const folder = join(runs, basename(run));
    if (!(await note(values, folder)) || record.compare.length === 0) continue;
    for (const { folder: baseline } of (await comparisonOf(folder)).finished) await note(values, baseline);
  }
  return found;
}

function rowOf(values: SweepValues, method: string, runs: readonly Finished[]): Omit<SweepRow, 'best'> {
  const mean = (value: (run: Finished) => number) => meanOf(runs.map(value));
  const errors = (of: 'reference' | 'theta' | 'retrained') => spreadOf(runs.map(({ done }) => done[of].error));
  return {
    values,
    method,
    runs: runs.length,
    folders: runs.map(({ folder }) => folder),
    kept: mean(({ done }) => done.kept),
    prunable: mean(({ done }) => done.prunable),
    bytes: spreadOf(runs.map((run) => run.bytes)).mean,
    reference: errors('reference'),
    theta: errors('theta'),
    error: errors('retrained'),
    decision: spreadOf(runs.map(({ done }) => done.decision ?? null)),
    seconds: mean(({ done }) => done.seconds),
  };
}

/**
 * Marks the rows that no other one beats: with no more error and no more weights, and less of one of them. Where every row has an error on held-out
 * data, that one counts: chosen by the test part, the best rows would have errors that are too low.
 */
export function withBest(rows: readonly Omit<SweepRow, 'best'>[]): SweepRow[] {
  const isHeldOut = rows.every(({ decision }) => decision.mean !== null);
  const errorOf = (row: Omit<SweepRow, 'best'>) => (isHeldOut ? row.decision : row.error).mean ?? Infinity;
  const beats = (a: Omit<SweepRow, 'best'>, b: Omit<SweepRow, 'best'>) =>
    errorOf(a) <= errorOf(b) && a.kept <= b.kept && (errorOf(a) < errorOf(b) || a.kept < b.kept);
  return rows.map((row) => ({ ...row, best: !rows.some((other) => beats(other, row)) }));
}

/** @param workspace absolute. */
export async function sweepResults(record: SweepRecord, workspace: string): Promise<SweepResults> {
  const finished = await finishedRuns(record, workspace);
  const groups = new Map<string, { values: SweepValues; method: string; runs: Finished[] }>();
  for (const run of finished) {
    const { [SEED]: _, ...values } = run.values;
    const key = JSON.stringify([values, run.method]);
    const group = groups.get(key) ?? { values, method: run.method, runs: [] };
    group.runs.push(run);
    groups.set(key, group);
  }
  const sets = new Set(finished.map(({ done }) => done.set));
  return {
    rows: withBest([...groups.values()].map(({ values, method, runs }) => rowOf(values, method, runs))),
    set: sets.size === 1 ? [...sets][0]! : null,
  };
}
