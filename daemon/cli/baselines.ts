/** Baselines in the foreground: each runs after its run, and all are shown beside it. */
import type { Baseline } from '../protocol/resolvedPlan.js';
import { baselinePlan } from '../runs/baselinePlan.js';
import { comparisonOf } from '../runs/comparison.js';
import { lastEvents } from '../runs/eventLog.js';
import { resumeRun, startRun } from '../runs/supervisor.js';
import { writeReport } from '../trainer/log/report.js';
import { follow, type Done } from './follow.js';
import type { Terminal } from './terminal.js';
import { count, percent, table } from './text.js';

export interface FinishedBaseline {
  readonly method: Baseline;
  readonly folder: string;
  readonly done: Done;
}

/** The last event of a finished run. */
export async function doneOf(folder: string): Promise<Done | null> {
  const { state } = await lastEvents(folder);
  return state?.event === 'done' ? state : null;
}

/**
 * Starts, or resumes, each baseline that a finished run asks for and lacks, then writes the run's report with them.
 * @param folder of the run. @returns null when the user interrupted it.
 */
export async function runBaselines(
  folder: string,
  terminal: Terminal,
  workspace: string,
): Promise<FinishedBaseline[] | null> {
  for (;;) {
    const { finished, next } = await comparisonOf(folder);
    if (next) {
      terminal.note('');
      const handle =
        next.folder === null
          ? await startRun(await baselinePlan(folder, next.method, { workspace }), { workspace })
          : await resumeRun(next.folder, { workspace });
      if (!(await follow(handle, terminal))) return null;
      continue;
    }
    const found: FinishedBaseline[] = [];
    for (const one of finished) found.push({ ...one, done: (await doneOf(one.folder))! });
    if (found.length === 0) return found;
    await writeReport(folder, { workspace, others: found.map((one) => one.folder) });
    for (const { done, method } of found) terminal.emit({ ...done, event: 'baseline', method });
    return found;
  }
}

/** One row a method, in the columns of the paper's table. */
export function printComparison(rows: readonly (readonly [string, Done])[], terminal: Terminal): void {
  const cells = rows.map(([name, done]) => [
    name,
    count(done.kept),
    percent(done.kept / done.prunable),
    percent(done.reference.error),
    percent(done.theta.error),
    percent(done.retrained.error),
  ]);
  terminal.print('');
  terminal.print(
    table(['method', 'weights', 'kept', 'reference error', 'before retraining', 'after retraining'], cells),
  );
  if (rows.some(([, done]) => done.retrained.target))
    terminal.print("The data has no labels: errors are those against the reference's own answers.");
}
