/** Converts the plan's tasks (layer names and budgets) to compression tasks over the session's flat vector. */
import type { Parameter } from '../engine/engine.js';
import {
  BudgetError,
  boundsValues,
  budgetKappa,
  byLayer,
  createCompression,
  isOfFile,
  seesUnits,
  type FileFormat,
  type LayerView,
  viewLength,
} from '../lc/budgets.js';
import type { CompressionTask, Range } from '../lc/compression.js';
import { gradualKappa } from '../lc/schedule.js';
import { layerViews } from '../model/layers/layerViews.js';
import type { LayerSummary } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { PrunedLayer, Tasks } from './run.js';

/** A part of a task's view and the position of its weights in the session's flat vector. */
interface Part {
  readonly layer: string;
  readonly view: LayerView;
  readonly ranges: readonly Range[];
}

/** A budget's view of the named layers, as far as this session trains them, in the model's order. */
function partsOf(
  names: readonly string[],
  budget: Budget,
  layers: readonly LayerSummary[],
  parameters: readonly Parameter[],
): Part[] {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  return layerViews(layers, names, budget, ({ name }) => byName.has(name)).map(({ layer, view, weights }) => {
    const ranges = weights.map((name) => {
      const { offset, size } = byName.get(name)!;
      return { start: offset, end: offset + size };
    });
    // A view of another length would move all weights behind it, in silence.
    const [length, seen] = [ranges.reduce((sum, { start, end }) => sum + end - start, 0), viewLength(view, budget)];
    if (length !== seen) throw new Error(`${weights.join(', ')} have ${length} values; their view has ${seen}`);
    return { layer, view, ranges };
  });
}

const budgetProblem = (error: unknown): unknown =>
  error instanceof BudgetError
    ? new UserError('budget-impossible', `budget: ${error.message}`, { field: error.key })
    : error;

function gradualTasks(name: string, budget: Budget, parts: readonly Part[], progress: number): CompressionTask[] {
  const groups = budget.scope === 'layer' ? byLayer(parts, ({ view }) => view).map(({ views }) => views) : [parts];
  return groups.map((group) => {
    const views = group.map(({ view }) => view);
    const kappa = seesUnits(budget) ? null : budgetKappa({ ...budget, scope: 'global' }, views);
    if (kappa === null) {
      throw new UserError('plan-invalid', 'gradual pruning needs a budget in weights: "keep" or "weights"', {
        field: 'method',
      });
    }
    const size = views.reduce((sum, view) => sum + view.size, 0);
    const compression = createCompression({ weights: gradualKappa(progress, kappa, size) }, views);
    return { name, ranges: group.flatMap(({ ranges }) => ranges), compression };
  });
}

/**
 * @param plan its tasks; layers are the model's, parameters the session's.
 * @param override a budget the user has set during the run. @throws UserError('budget-impossible') also if the plan has several tasks, because it
 * would be ambiguous.
 * @param format that `bytes` refers to: of the whole file, or of a task's part of it.
 */
export function createTasks(
  plan: Pick<ResolvedPlan, 'tasks'>,
  layers: readonly LayerSummary[],
  parameters: readonly Parameter[],
  override: Budget | null,
  format?: FileFormat,
): Tasks {
  if (override && plan.tasks.length > 1) {
    throw new UserError(
      'budget-impossible',
      'this plan has a budget for each of several tasks; change them in the plan and start a new run',
    );
  }
  const planned = plan.tasks.map((task) => {
    const budget = override ?? task.budget;
    return {
      name: task.name,
      budget,
      parts: partsOf(task.layers, budget, layers, parameters),
      options: format ? { format: format(isOfFile(plan.tasks, budget)) } : {},
    };
  });
  for (const { name, parts } of planned) {
    if (parts.length === 0)
      throw new UserError('plan-invalid', `task "${name}": none of its layers is trainable`, { field: 'tasks' });
  }
  try {
    const compressed = planned.map(({ name, budget, parts, options }) => {
      const views = parts.map(({ view }) => view);
      return {
        kappa: budgetKappa(budget, views, options),
        task: {
          name,
          ranges: parts.flatMap(({ ranges }) => ranges),
          compression: createCompression(budget, views, options),
        },
      };
    });
    return {
      tasks: compressed.map(({ task }) => task),
      kappa: compressed.reduce<number | null>(
        (sum, { kappa }) => (sum === null || kappa === null ? null : sum + kappa),
        0,
      ),
      notes: [...new Set(compressed.flatMap(({ task }) => task.compression.notes ?? []))],
      retrainable: !planned.some(({ budget }) => boundsValues(budget)),
      gradual: (progress) =>
        progress >= 1
          ? createTasks(plan, layers, parameters, override, format).tasks
          : planned.flatMap(({ name, budget, parts }) => gradualTasks(name, budget, parts, progress)),
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
  const names = plan.tasks.flatMap((task) => task.layers);
  const byLayer = new Map<string, Range[]>();
  for (const { layer, ranges } of partsOf(names, {}, layers, parameters))
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), ...ranges]);
  return [...byLayer].map(([layer, ranges]) => ({ layer, ranges }));
}
