/** Whether a written model keeps its budgets: counted on the model read back from the file, not on the run's own figures. */
import { checkWritten, isOfFile, seesUnits } from '../lc/budgets.js';
import { joined, viewsOf } from '../lc/budgets/written.js';
import { layerViews } from '../model/layers/layerViews.js';
import type { Model } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import type { BudgetCheck } from '../protocol/events.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { fileFormatOf } from './sparse/packageFormat.js';
import { thin } from './thin.js';
import { count } from '../protocol/format.js';

/**
 * @param model read back from the run's files.
 * @param tasks of the plan, with the budgets in force at the end.
 * @param fileBytes of its sparse package.
 * @param trained weights that the run trained, by name.
 */
export function checkBudgets(
  model: Model,
  tasks: ResolvedPlan['tasks'],
  fileBytes: number,
  trained: (name: string) => boolean,
): BudgetCheck[] {
  const layers = summarizeModel(model);
  const data = new Map(model.weights.map((weight) => [weight.name, weight.data]));
  const frozen = layers
    .filter((layer) => layer.frozen)
    .flatMap(({ weights }) => weights.filter(({ name, prunable }) => prunable && !trained(name)))
    .reduce((total, { size }) => total + size, 0);
  // The budget of the whole model does not count the weights that the file freezes.
  const shown = (name: string) => (name === 'all' && frozen > 0 ? `all but ${count(frozen)} frozen` : name);
  let thinned: ReadonlyMap<string, number> | null = null;
  const inThinned = (weight: string): number => {
    thinned ??= new Map(thin(model).model.weights.map(({ name, data: left }) => [name, left.length]));
    return thinned.get(weight) ?? 0;
  };
  return tasks.flatMap(({ name, layers: names, budget }) => {
    const kernels = layerViews(layers, names, budget, (weight) => trained(weight.name))
      .filter(({ view }) => view.size > 0)
      .map(({ view, weights: [kernel] }) => ({
        view,
        data: data.get(kernel!)!,
        ...(seesUnits(budget) && { thinned: inThinned(kernel!) }),
      }));
    const bytesOf: Parameters<typeof checkWritten>[1]['bytesOf'] = (part, quantize) =>
      isOfFile(tasks, budget)
        ? fileBytes
        : fileFormatOf(model)(false)(viewsOf(part), quantize).encodedBytes!(joined(part));
    return checkWritten(budget, { kernels, bytesOf }).map((check) => ({ task: shown(name), ...check }));
  });
}
