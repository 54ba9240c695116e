/** What the plan leaves open about batches and epochs, chosen once: the plan then says it, so that a resumed run goes on alike. */
import type { SessionSpec } from '../../engine/engine.js';
import type { Model } from '../../model/model.js';
import { fitToData, PHASES } from './fitToData.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { fitToMemory, type Fitted } from './fitToMemory.js';

/**
 * A plan that has run before, or goes on from a run, is left as it is.
 *
 * @param samples of the training part. The rest as `fitToMemory` has it, which says what is thrown.
 * @returns the plan with nothing open.
 */
export async function fitPlan(
  plan: ResolvedPlan,
  samples: number,
  model: Model,
  spec: Omit<SessionSpec, 'batchSize'>,
  free?: number,
): Promise<Fitted> {
  if (plan.dataHash !== null) return { plan, notes: [] };
  const byData = fitToData(plan, samples);
  const byMemory = await fitToMemory(byData.plan, model, spec, free);
  const { open: _, ...fitted } = byMemory.plan;
  // A batch that memory makes smaller still is no longer of the size that the data asked for.
  const smaller = fitted.training.batchSize < byData.plan.training.batchSize;
  return { plan: fitted, notes: [...(smaller ? [] : byData.batches), ...byData.epochs, ...byMemory.notes] };
}

/** Samples of a batch that are computed at once, where they are not the whole batch. */
export const microBatchOf = (plan: ResolvedPlan, batchSize: number): number | undefined =>
  PHASES.map((phase) => plan[phase]).find((settings) => settings.batchSize === batchSize)?.microBatch;
