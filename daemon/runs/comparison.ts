/** A run and its baselines: which runs belong together, and which baselines are missing. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Baseline, ResolvedPlan } from '../protocol/resolvedPlan.js';
import { lastEvents } from './eventLog.js';
import { readRunPlan } from './list/registry.js';

export interface Comparison {
  /** Folder of the run that the others are compared with. */
  readonly subject: string;
  /** Finished baselines, in the order the run's plan names them. */
  readonly finished: readonly { readonly method: Baseline; readonly folder: string }[];
  /** The first baseline that is not finished, with its folder if it was started; null: none. */
  readonly next: { readonly method: Baseline; readonly folder: string | null } | null;
}

const planOf = (folder: string): Promise<ResolvedPlan | null> => readRunPlan(folder).catch(() => null);

const isDone = async (folder: string): Promise<boolean> => (await lastEvents(folder)).state?.event === 'done';

/**
 * @param folder of the run or of one of its baselines, absolute. A baseline whose run is gone forms a comparison of its own.
 * @throws UserError('run-missing'
 * 'run-invalid').
 */
export async function comparisonOf(folder: string): Promise<Comparison> {
  const runs = dirname(folder);
  const own = await readRunPlan(folder);
  const run = own.baselineOf === undefined ? null : join(runs, basename(own.baselineOf));
  const above = run !== null && (await isDone(run)) ? await planOf(run) : null;
  const subject = above ? run! : folder;
  const { compare = [] } = above ?? own;
  const begun = new Map<string, string>();
  if (compare.length > 0) {
    // Newest last: if a baseline was started twice, the newer one counts.
    for (const name of (await readdir(runs)).filter((one) => !one.startsWith('.')).sort()) {
      const plan = await planOf(join(runs, name));
      if (plan?.baselineOf === basename(subject)) begun.set(plan.method, join(runs, name));
    }
  }
  const finished: Comparison['finished'][number][] = [];
  let next: Comparison['next'] = null;
  for (const method of compare) {
    const at = begun.get(method) ?? null;
    if (at !== null && (await isDone(at))) finished.push({ method, folder: at });
    else next ??= { method, folder: at };
  }
  return { subject, finished, next };
}
