/** The meaning of budgets for a plan or a model file, before anything is trained and without its data. */
import { fileFormatOf } from '../export/sparse/packageFormat.js';
import { resolveInside } from '../files/workspacePath.js';
import { readModel } from '../model/files/readModel.js';
import type { Model } from '../model/model.js';
import { buildArchitecture } from '../model/setup/architectures.js';
import { summarizeModel } from '../model/summarize.js';
import { asInNewPlan, previewBudget, previewForPlan, type PreviewModel } from '../plan/previewBudget.js';
import type { BudgetPreview } from '../protocol/messages.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';

export interface TaskPreview {
  /** The task's name; "all" for a plan with one budget. */
  readonly task: string;
  readonly preview: BudgetPreview;
}

/** @param trained whether its weights are those of a network: those of an untrained architecture are not informative. */
const previewModel = (model: Model, trained: boolean): PreviewModel => ({
  layers: summarizeModel(model),
  weights: trained ? new Map(model.weights.map(({ name, data }) => [name, data])) : null,
  format: fileFormatOf(model),
});

/**
 * For every task of a plan, in its order.
 * @param budget in place of theirs. @throws UserError of every kind that reading the model can; a budget that cannot be met is the preview's
 * `problem`.
 */
export async function previewPlanBudgets(
  plan: ResolvedPlan,
  { workspace, budget }: { readonly workspace: string; readonly budget?: Budget | undefined },
): Promise<TaskPreview[]> {
  const given = 'path' in plan.model;
  const model =
    'path' in plan.model
      ? await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace })
      : buildArchitecture(plan.model.architecture, plan.seed);
  const known = previewModel(model, given);
  return plan.tasks.map((task) => ({
    task: task.name,
    preview: previewForPlan(known, plan, budget ?? task.budget, task.layers),
  }));
}

/** For a model file, as a new plan would prune it. @throws UserError of every kind that reading it can. */
export async function previewModelBudget(file: string, workspace: string, budget: Budget): Promise<BudgetPreview> {
  return previewBudget(asInNewPlan(previewModel(await readModel(file, { workspace }), true)), budget);
}
