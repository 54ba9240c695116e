/** What pruning changed in a run: as its trainer has written it, or computed now and stored. */
import { UserError } from '../../protocol/errors.js';
import type { WhatChanged } from '../../protocol/whatChanged.js';
import { keepChanged } from '../../trainer/finish/measureResult.js';
import { changedFile, readRunPlan } from '../../trainer/process/runFolder.js';
import { readReference, readRunModel } from '../../trainer/runModels.js';
import { assemble } from '../../trainer/setup.js';
import { whatChanged, type ChangedOptions, type Reported } from '../../trainer/whatChanged/whatChanged.js';
import { lastEvents } from '../eventLog.js';
import { pathPoints } from '../pathPoints.js';
import { readChanged } from './kept.js';

export interface ChangedOf {
  /** Of the run. */
  readonly workspace: string;
  /** Of a path run; undefined: its result. */
  readonly point?: number | undefined;
}

/** The run's own figures for the comparison. @throws UserError('run-invalid') if the run is not done. */
async function reportedBy(folder: string, point: number | undefined): Promise<Reported | undefined> {
  const { state } = await lastEvents(folder);
  const done = state?.event === 'done' ? state : undefined;
  if (point === undefined) return done && { reference: done.reference, pruned: done.retrained };
  const { points } = await pathPoints(folder);
  const own = points.find((one) => one.point === point);
  return done && own && { reference: done.reference, pruned: own.retrained };
}

/** Devices that the run was on: its engine is not compared there again. */
async function devicesOf(folder: string): Promise<string[]> {
  const { start } = await lastEvents(folder);
  return start ? [start.device] : [];
}

/**
 * @returns the comparison stored in the run folder; else it is computed now, by the run's own engine on its own data, and stored.
 * @throws UserError of every kind that opening the run's model, data and engine can; the signal's reason.
 */
export async function openChanged(
  folder: string,
  { workspace, point, ...options }: ChangedOf & Omit<ChangedOptions, 'reported'>,
): Promise<WhatChanged> {
  const kept = await readChanged(folder, point);
  if (kept) return kept;
  const plan = await readRunPlan(folder);
  if (plan.method === 'reference')
    throw new UserError('usage', 'this run trained a reference and pruned nothing: there is no change to show');
  // Before the data is opened: without a result there is nothing to compare.
  const pruned = await readRunModel(folder, point);
  const assembled = await assemble(plan, { workspace, comparedOn: await devicesOf(folder) });
  try {
    const reference = await readReference(folder, workspace);
    const networks = {
      reference: assembled.flatWeights(reference ?? assembled.model),
      pruned: assembled.flatWeights(pruned),
    };
    const reported = await reportedBy(folder, point);
    const changed = await whatChanged(assembled, networks, { ...options, ...(reported && { reported }) });
    // A folder that cannot be written does not prevent the comparison.
    await keepChanged(changedFile(folder, point), changed).catch(() => undefined);
    return changed;
  } finally {
    const session = await assembled.parts.sessions.use(plan.retrain.batchSize);
    await session.dispose().catch(() => undefined);
  }
}
