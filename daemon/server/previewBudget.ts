/** What a budget would mean for a model: the direct compression of the reference, counted. */
import { BudgetError, budgetKappa, createCompression, viewLength } from '../lc/budgets.js';
import { compressedColumns, storedBytes } from '../lc/sparseFormat.js';
import type { LayerSummary } from '../model/model.js';
import { layerViews } from '../plan/resolvePlan.js';
import type { BudgetPreview } from '../protocol/messages.js';
import type { Budget } from '../protocol/plan.js';

const grouped = (n: number): string => n.toLocaleString('en-US');
const sizeText = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 ** 2
      ? `${Math.round(bytes / 1024)} kB`
      : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`;

/** The budget as the user wrote it, in a word: the left side of "1% = 2,662 weights". */
function written(budget: Budget): string {
  const { keep, weights, bytes, flops, neurons, pattern, alpha, radius } = budget;
  if (keep !== undefined) return typeof keep === 'number' ? percent(keep) : keep.replaceAll(' ', '');
  if (weights !== undefined) return `${grouped(weights)} weights`;
  if (bytes !== undefined) return typeof bytes === 'number' ? sizeText(bytes) : bytes;
  if (flops !== undefined)
    return `${typeof flops === 'number' ? percent(flops) : flops.replaceAll(' ', '')} of the FLOPs`;
  if (neurons !== undefined) {
    return typeof neurons === 'number' && neurons > 1
      ? `${grouped(neurons)} neurons`
      : `${typeof neurons === 'number' ? percent(neurons) : neurons} of the neurons`;
  }
  if (pattern !== undefined) return `${pattern} pattern`;
  if (alpha !== undefined) return `alpha ${alpha}`;
  return radius !== undefined ? `radius ${radius}` : 'budget';
}

export interface PreviewModel {
  readonly layers: readonly LayerSummary[];
  /** Weight name -> values; null where only the topology is known. */
  readonly weights: ReadonlyMap<string, Float32Array> | null;
}

/**
 * @param exclude exact names of layers that are not pruned.
 * kappa is the budget's bound; bytes and FLOPs are those of the reference's direct compression (magnitude, for l0), which
 * LC will rebalance between layers: an estimate, said with "about".
 */
export function previewBudget(model: PreviewModel, budget: Budget, exclude: readonly string[] = []): BudgetPreview {
  const layers = model.layers.filter((layer) => layer.prunable > 0 && !exclude.includes(layer.name));
  const views = layerViews(
    layers,
    layers.map((layer) => layer.name),
  );
  const prunable = views.reduce((total, view) => total + view.size, 0);
  const nothing = { kappa: null, prunable, bytes: null, flopsShare: null };
  if (views.length === 0) return { ...nothing, text: 'nothing to prune', problem: 'no prunable layer is left' };
  let kappa: number | null;
  let kept: number[] | null = null;
  try {
    const compression = createCompression(budget, views);
    kappa = budgetKappa(budget, views);
    const flat = model.weights && flatten(layers, model.weights);
    const length = views.reduce((total, view) => total + viewLength(view, budget), 0);
    // A penalty's threshold depends on mu, which only the run knows.
    const penalty = budget.alpha !== undefined || budget.form === 'penalty';
    if (flat && flat.length === length && !penalty) {
      const theta = new Float32Array(length);
      compression.project(flat, 1, theta);
      kept = countPerView(
        theta,
        views.map((view) => view.size),
      );
    }
  } catch (error) {
    if (!(error instanceof BudgetError || error instanceof RangeError)) throw error;
    return { ...nothing, text: `${written(budget)}: ${error.message}`, problem: error.message };
  }
  const total = kept?.reduce((sum, n) => sum + n, 0) ?? kappa;
  const cost = (i: number) => views[i]!.flopsPerWeight;
  const dense = views.reduce((sum, view, i) => sum + view.size * cost(i), 0);
  const flopsShare = kept && dense > 0 ? kept.reduce((sum, n, i) => sum + n * cost(i), 0) / dense : null;
  const bytes = total === null ? null : storedBytes(compressedColumns(views, budget.quantize), total);
  const parts = [
    total === null ? null : budget.weights === undefined ? `${grouped(total)} weights` : percent(total / prunable),
    bytes === null ? null : `about ${sizeText(bytes)} sparse`,
    flopsShare === null || budget.flops !== undefined ? null : `${percent(flopsShare)} of the FLOPs`,
  ].filter((part) => part !== null);
  return {
    kappa,
    prunable,
    bytes,
    flopsShare,
    text:
      parts.length > 0
        ? `${written(budget)} = ${parts.join(', ')}`
        : `${written(budget)}: how many weights stay is known after the run`,
    problem: null,
  };
}

function flatten(layers: readonly LayerSummary[], weights: ReadonlyMap<string, Float32Array>): Float32Array | null {
  const parts: Float32Array[] = [];
  for (const layer of layers) {
    for (const { name, prunable } of layer.weights) {
      if (!prunable) continue;
      const values = weights.get(name);
      if (!values) return null;
      parts.push(values);
    }
  }
  const flat = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    flat.set(part, at);
    at += part.length;
  }
  return flat;
}

function countPerView(theta: Float32Array, sizes: readonly number[]): number[] {
  let at = 0;
  return sizes.map((size) => {
    let kept = 0;
    for (const end = at + size; at < end; at++) if (theta[at] !== 0) kept++;
    return kept;
  });
}
