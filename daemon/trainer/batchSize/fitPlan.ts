/** Fixes the batch sizes and epochs that the plan leaves open. The plan then contains them, so that a resumed run uses the same. */
import type { SessionSpec } from '../../engine/engine.js';
import type { Model } from '../../model/model.js';
import { fitToData, PHASES } from './fitToData.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { fitToMemory, type Fitted } from './fitToMemory.js';

/**
 * The plan of a run that is resumed, or of a run made from another, is not changed.
 * @param samples of the training part. The other parameters and errors are those of `fitToMemory`.
 * @returns the plan with everything fixed.
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
  // A batch that memory makes smaller no longer has the size chosen for the data.
  const smaller = fitted.training.batchSize < byData.plan.training.batchSize;
  return { plan: fitted, notes: [...(smaller ? [] : byData.batches), ...byData.epochs, ...byMemory.notes] };
}

/** Samples of a batch that are computed at once, if not the whole batch. */
export const microBatchOf = (plan: ResolvedPlan, batchSize: number): number | undefined =>
  PHASES.map((phase) => plan[phase]).find((settings) => settings.batchSize === batchSize)?.microBatch;
