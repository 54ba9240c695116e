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
import type { Models } from '../models/models.js';
import { previewForPlan, type PreviewModel } from '../../plan/previewBudget.js';

interface RunPlace {
  readonly plan: ResolvedPlan;
  readonly workspace: string;
  /** The run's folder; null for a plan that has not run. */
  readonly folder: string | null;
}

/** The plan's model file, or the reference that the run trained itself; null before that: the bare architecture. */
async function modelFileOf({ plan, workspace, folder }: RunPlace): Promise<string | null> {
  if ('path' in plan.model) return join(workspace, plan.model.path);
  return folder === null ? null : findModelIn(join(folder, 'reference'));
}

async function architectureOf({ model: named, seed }: ResolvedPlan): Promise<PreviewModel> {
  if ('path' in named) throw new Error(`${named.path} is no architecture`);
  const [{ buildArchitecture }, { summarizeModel }, { fileFormatOf }] = await Promise.all([
    import('../../model/setup/architectures.js'),
    import('../../model/summarize.js'),
    import('../../export/sparse/packageFormat.js'),
  ]);
  const model = buildArchitecture(named.architecture, seed);
  return { layers: summarizeModel(model), weights: null, format: fileFormatOf(model) };
}

/** The meaning of `budget` over `pruned`: by default all layers that the plan prunes. See `previewForPlan`. */
export async function previewForRun(
  run: RunPlace,
  budget: Budget,
  models: Models,
  pruned?: readonly string[],
): Promise<BudgetPreview> {
  const { plan, workspace } = run;
  const file = await modelFileOf(run);
  if (file === null) return previewForPlan(await architectureOf(plan), plan, budget, pruned);
  return models.ask('previewForPlan', file, workspace, { plan, budget, pruned });
}

/** @throws UserError('run-invalid') if the layer has no prunable weights, or there is no checkpoint yet. */
export async function pictureForRun(
  run: RunPlace,
  newest: NewestWeights | null,
  layerName: string,
  models: Models,
): Promise<LayerPicture> {
  const file = await modelFileOf(run);
  const whole = file === null ? (await architectureOf(run.plan)).layers : await models.layersOf(file, run.workspace);
  const layers = trainedLayers(whole, run.plan);
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
