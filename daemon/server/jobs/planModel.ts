/** The model a run's plan prunes: for previews of its budget and pictures of its layers. */
import { join } from 'node:path';
import { findModelIn } from '../../model/files/modelInFolder.js';
import { trainedLayers } from '../../model/layers/trainedLayers.js';
import type { BudgetPreview, LayerPicture } from '../../protocol/messages.js';
import type { Budget } from '../../protocol/plan.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { NewestWeights } from '../../runs/newestWeights.js';
import { drawLayer, imageOf } from './layerPicture.js';
import type { ModelCache } from '../modelCache.js';
import { previewForPlan, type PreviewModel } from '../../plan/previewBudget.js';

interface RunPlace {
  readonly plan: ResolvedPlan;
  readonly workspace: string;
  /** The run's folder; null for a plan that has not run. */
  readonly folder: string | null;
}

/**
 * The plan's model file, or the reference that the run trained itself, or (before that) the bare architecture; its layers as the plan trains them.
 */
async function modelOf(run: RunPlace, models: ModelCache): Promise<PreviewModel> {
  const model = await wholeModel(run, models);
  return { ...model, layers: trainedLayers(model.layers, run.plan) };
}

async function wholeModel({ plan, workspace, folder }: RunPlace, models: ModelCache): Promise<PreviewModel> {
  if ('path' in plan.model) return models.load(join(workspace, plan.model.path), workspace);
  const trained = folder && (await findModelIn(join(folder, 'reference')));
  if (trained) return models.load(trained, workspace);
  const [{ buildArchitecture }, { summarizeModel }, { fileFormatOf }] = await Promise.all([
    import('../../model/setup/architectures.js'),
    import('../../model/summarize.js'),
    import('../../export/sparse/packageFormat.js'),
  ]);
  const model = buildArchitecture(plan.model.architecture, plan.seed);
  return { layers: summarizeModel(model), weights: null, format: fileFormatOf(model) };
}

/** The meaning of `budget` over `pruned`: by default all layers that the plan prunes. See `previewForPlan`. */
export async function previewForRun(
  run: RunPlace,
  budget: Budget,
  models: ModelCache,
  pruned?: readonly string[],
): Promise<BudgetPreview> {
  return previewForPlan(await wholeModel(run, models), run.plan, budget, pruned);
}

/** @throws UserError('run-invalid') if the layer has no prunable weights, or there is no checkpoint yet. */
export async function pictureForRun(
  run: RunPlace,
  newest: NewestWeights | null,
  layerName: string,
  models: ModelCache,
): Promise<LayerPicture> {
  const { layers } = await modelOf(run, models);
  if (!newest) throw new UserError('run-invalid', 'the run has no checkpoint yet; look again after its first one');
  // Flat vectors hold the prunable weights first, in the model's order.
  let offset = 0;
  for (const [i, layer] of layers.entries()) {
    for (const weight of layer.weights) {
      if (!weight.prunable || !weight.trainable) continue;
      if (layer.name === layerName) {
        const end = offset + weight.size;
        if (end > newest.w.length) break;
        const inputs = weight.shape.at(-2) ?? 1;
        const first = layers.slice(0, i).every((before) => before.params === 0);
        return drawLayer(
          layerName,
          weight.shape,
          newest.w.subarray(offset, end),
          newest.theta.subarray(offset, end),
          first && weight.shape.length === 2 ? imageOf(inputs) : null,
        );
      }
      offset += weight.size;
    }
  }
  throw new UserError('run-invalid', `the run prunes no layer called "${layerName.slice(0, 100)}"`, { field: 'layer' });
}
