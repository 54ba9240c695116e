/** From the plan's tasks (layer names and budgets) to compression tasks over the session's flat vector. */
import type { Parameter } from '../engine/engine.js';
import { BudgetError, budgetKappa, createCompression, type LayerView } from '../lc/budgets.js';
import type { CompressionTask } from '../lc/compression.js';
import { gradualKappa } from '../lc/schedule.js';
import type { LayerSummary } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { PrunedLayer, Tasks } from './run.js';

interface Kernel {
  readonly layer: string;
  readonly view: LayerView;
  readonly range: { readonly start: number; readonly end: number };
}

/** Kernels of the named layers that this session trains, in the model's order. */
function kernelsOf(
  names: readonly string[],
  layers: readonly LayerSummary[],
  parameters: readonly Parameter[],
): Kernel[] {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  return layers
    .filter((layer) => names.includes(layer.name))
    .flatMap((layer) => {
      const prunable = layer.weights.filter((weight) => weight.prunable);
      return prunable.flatMap(({ name }): Kernel[] => {
        const parameter = byName.get(name);
        if (!parameter) return [];
        const { offset, size, shape } = parameter;
        const view = {
          name: prunable.length > 1 ? name : layer.name,
          size,
          shape,
          flopsPerWeight: layer.flopsPerWeight,
        };
        return [{ layer: layer.name, view, range: { start: offset, end: offset + size } }];
      });
    });
}

const budgetProblem = (error: unknown): unknown =>
  error instanceof BudgetError
    ? new UserError('budget-impossible', `budget: ${error.message}`, { field: error.key })
    : error;

/** Codebooks and the l2 norm bound values that retraining would change. (l1 is retrained on its support. [P, Table 1]) */
const boundsValues = (budget: Budget): boolean => budget.quantize !== undefined || budget.norm === 'l2';

function gradualTasks(name: string, budget: Budget, kernels: readonly Kernel[], progress: number): CompressionTask[] {
  const groups = budget.scope === 'layer' ? kernels.map((kernel) => [kernel]) : [kernels];
  return groups.map((group) => {
    const views = group.map(({ view }) => view);
    const kappa = budgetKappa({ ...budget, scope: 'global' }, views);
    if (kappa === null) {
      throw new UserError('plan-invalid', 'gradual pruning needs a budget in weights: "keep" or "weights"', {
        field: 'method',
      });
    }
    const size = views.reduce((sum, view) => sum + view.size, 0);
    const compression = createCompression({ weights: gradualKappa(progress, kappa, size) }, views);
    return { name, ranges: group.map(({ range }) => range), compression };
  });
}

/**
 * @param plan its tasks; layers are the model's, parameters the session's.
 * @param override a budget the user has set during the run. @throws UserError('budget-impossible') also where the plan
 * has several tasks, of which it could mean any.
 */
export function createTasks(
  plan: Pick<ResolvedPlan, 'tasks'>,
  layers: readonly LayerSummary[],
  parameters: readonly Parameter[],
  override: Budget | null,
): Tasks {
  if (override && plan.tasks.length > 1) {
    throw new UserError(
      'budget-impossible',
      'this plan has a budget for each of several tasks; change them in the plan and start a new run',
    );
  }
  const planned = plan.tasks.map((task) => ({
    name: task.name,
    budget: override ?? task.budget,
    kernels: kernelsOf(task.layers, layers, parameters),
  }));
  for (const { name, kernels } of planned) {
    if (kernels.length === 0)
      throw new UserError('plan-invalid', `task "${name}": none of its layers is trainable`, { field: 'tasks' });
  }
  try {
    const kappas = planned.map(({ budget, kernels }) =>
      budgetKappa(
        budget,
        kernels.map(({ view }) => view),
      ),
    );
    return {
      tasks: planned.map(({ name, budget, kernels }) => ({
        name,
        ranges: kernels.map(({ range }) => range),
        compression: createCompression(
          budget,
          kernels.map(({ view }) => view),
        ),
      })),
      kappa: kappas.reduce((sum, kappa) => (sum === null || kappa === null ? null : sum + kappa), 0),
      retrainable: !planned.some(({ budget }) => boundsValues(budget)),
      gradual: (progress) =>
        progress >= 1
          ? createTasks(plan, layers, parameters, override).tasks
          : planned.flatMap(({ name, budget, kernels }) => gradualTasks(name, budget, kernels, progress)),
    };
  } catch (error) {
    throw budgetProblem(error);
  }
}

/** The layers that the plan's tasks cover, in the model's order. */
export function prunedLayers(
  plan: Pick<ResolvedPlan, 'tasks'>,
  layers: readonly LayerSummary[],
  parameters: readonly Parameter[],
): PrunedLayer[] {
  const kernels = kernelsOf(
    plan.tasks.flatMap((task) => task.layers),
    layers,
    parameters,
  );
  const byLayer = new Map<string, PrunedLayer['ranges'][number][]>();
  for (const { layer, range } of kernels) byLayer.set(layer, [...(byLayer.get(layer) ?? []), range]);
  return [...byLayer].map(([layer, ranges]) => ({ layer, ranges }));
}
