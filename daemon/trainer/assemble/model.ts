/** The model of a plan. */
import { resolveInside } from '../../files/workspacePath.js';
import { readModel } from '../../model/files/readModel.js';
import type { Model } from '../../model/model.js';
import { buildArchitecture } from '../../model/setup/architectures.js';
import { hashModel } from '../../model/weights.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { unchanged } from './unchanged.js';

/** @throws UserError for errors of its file; UserError('run-invalid') if it is not the model of the run that continues. */
export async function openModel(plan: ResolvedPlan, workspace: string): Promise<{ model: Model; modelHash: string }> {
  const model =
    'architecture' in plan.model
      ? buildArchitecture(plan.model.architecture, plan.seed)
      : await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace });
  return { model, modelHash: unchanged('model', plan.modelHash, hashModel(model)) };
}
