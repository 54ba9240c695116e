/** The initial plan for a model: the keys that people set first, and the defaults that depend on the model. */
import { isAbsolute } from 'node:path';
import type { LayerSummary } from '../model/model.js';
import { byFile, isWhollyFrozen, prunableWeightsOf, trainedLayers } from '../model/layers/trainedLayers.js';
import { resolveInside } from '../files/workspacePath.js';
import type { PlanLength } from '../protocol/dataChoice.js';
import type { Budget, DataSource, ErrorBound } from '../protocol/plan.js';
import { usualKeep } from './defaults.js';
import { planPath, type ShortPlan } from './planText.js';

interface Wishes {
  /** As the plan names it. */
  readonly model: string;
  readonly data: DataSource;
  /** Default: the share that is usual for so many weights. */
  readonly budget?: Budget | undefined;
  /** In place of a budget. */
  readonly bound?: ErrorBound | undefined;
  readonly length?: PlanLength | null | undefined;
}

/** Weights that a new plan prunes: of all layers if the file freezes every one of them. */
export function prunableOfNewPlan(layers: readonly LayerSummary[]): number {
  const trained = isWhollyFrozen(layers)
    ? layers
    : trainedLayers(layers, byFile(layers)).filter((layer) => prunableWeightsOf(layer) > 0);
  return trained.reduce((total, layer) => total + layer.prunable, 0);
}

/** @param layers of the model as in its file. */
export const newPlan = (
  layers: readonly LayerSummary[],
  { model, data, budget, bound, length }: Wishes,
): ShortPlan => ({
  model,
  data,
  ...(bound ? { path: bound } : { budget: budget ?? { keep: usualKeep(prunableOfNewPlan(layers)) } }),
  // Without labels only the reference can teach.
  ...(typeof data === 'object' && data.labels === false && { distill: {} }),
  ...(isWhollyFrozen(layers) && { unfreeze: true as const }),
  ...(length && { length }),
});

/**
 * The data of a plan in a folder, with paths relative to it where they are absolute.
 * @param folder the plan's, absolute. @throws UserError('path-outside-workspace').
 */
export async function dataAsWritten(folder: string, data: DataSource, workspace: string): Promise<DataSource> {
  const path = async (written: string) =>
    isAbsolute(written) ? planPath(folder, await resolveInside(workspace, folder, written)) : written;
  if (typeof data === 'string') return path(data);
  const source = await path(data.source);
  return data.test === undefined ? { ...data, source } : { ...data, source, test: await path(data.test) };
}
