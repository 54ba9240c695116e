import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { workspacePath } from '../files/workspacePath.js';
import { isFound, seesUnits } from '../lc/budgets.js';
import { findModelIn } from '../model/files/modelInFolder.js';
import type { BudgetCheck, LayerKept } from '../protocol/events.js';
import type { Baseline, ResolvedPlan } from '../protocol/resolvedPlan.js';
import { readRunPlan } from './list/registry.js';

/**
 * The plan of a baseline beside a finished LC run: the same data, budget, epochs, seed and, above all, the same reference
 * (the one the run trained, where it trained one).
 * @param folder the LC run's folder, absolute.
 */
export async function baselinePlan(
  folder: string,
  method: Baseline,
  { workspace }: { workspace: string },
): Promise<ResolvedPlan> {
  const { compare: _, continuations: __, ...plan } = await readRunPlan(folder);
  const tasks = await countedTasks(folder, plan.tasks);
  return {
    ...plan,
    tasks,
    name: `${plan.name}-${method}`,
    method,
    baselineOf: basename(folder),
    ...(await fromReferenceOf(folder, plan, workspace)),
  };
}

/**
 * The result of penalties and norms follows from the run; a baseline of the same projection would keep another number of weights. So its budget is
 * what the run kept.
 */
async function countedTasks(folder: string, tasks: ResolvedPlan['tasks']): Promise<ResolvedPlan['tasks']> {
  if (!tasks.some(({ budget }) => isFound(budget))) return tasks;
  const done = JSON.parse(await readFile(join(folder, 'result', 'result.json'), 'utf8')) as {
    perLayer: LayerKept[];
    budget?: BudgetCheck[];
  };
  return tasks.map((task) => {
    const { budget, layers } = task;
    if (!isFound(budget)) return task;
    const found = done.budget?.find(({ task: name, kind }) => name === task.name && kind === 'penalty');
    if (seesUnits(budget) && found) return { ...task, budget: { prune: 'neurons', neurons: found.got } };
    const kept = done.perLayer.filter(({ layer }) => layers.includes(layer));
    return { ...task, budget: { weights: kept.reduce((total, one) => total + one.kept, 0) } };
  });
}

/**
 * What a plan changes in order to begin with the reference that another run trained; nothing if that run trained none.
 * @param folder the other run's, absolute.
 */
export async function fromReferenceOf(
  folder: string,
  plan: ResolvedPlan,
  workspace: string,
): Promise<Pick<ResolvedPlan, 'model' | 'modelHash' | 'reference'> | undefined> {
  const trained = await findModelIn(join(folder, 'reference'));
  if (trained === null) return undefined;
  return {
    model: { path: workspacePath(workspace, trained) },
    modelHash: null,
    reference: { ...plan.reference, epochs: 0 },
  };
}
