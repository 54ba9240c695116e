/** The meaning of a budget for a model: counts the direct compression of the reference. */
import { concatenated } from '../lc/concatenated.js';
import { askedOf, isPenalty, phraseOf } from '../lc/budgets/budgetSpec.js';
import { WORDS, type Counted } from '../lc/budgets/registry.js';
import { BudgetError, budgetKappa, createCompression, isOfFile, seesUnits, viewLength, type FileFormat, type LayerView } from '../lc/budgets.js'; // prettier-ignore
import { unitSizes } from '../lc/budgets/wholeUnits.js';
import { countNonZeros } from '../lc/projections/select.js';
import { compressedColumns, storedBytes } from '../lc/sparseFormat.js';
import { byFile, isWhollyFrozen, prunableWeightsOf, trainedLayers } from '../model/layers/trainedLayers.js';
import { layerViews, type ViewedLayer } from '../model/layers/layerViews.js';
import type { LayerSummary } from '../model/model.js';
import type { BudgetPreview } from '../protocol/messages.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { bytes as bytesText, count, countOf, shortPercent } from '../protocol/format.js';

export interface PreviewModel {
  readonly layers: readonly LayerSummary[];
  /** Weight name -> values; null where only the topology is known. */
  readonly weights: ReadonlyMap<string, Float32Array> | null;
  /** The file format that a budget in bytes refers to; without it, sizes are estimated. */
  readonly format?: FileFormat;
}

/** Of the direct compression: the kept weights of each kernel. */
interface Compressed {
  readonly kernels: readonly Float32Array[];
  /** C(theta) in the budget's unit. */
  readonly cost: number;
  /** Weights and FLOPs of the network that is left. */
  readonly weights: number;
  readonly flops: number;
}

/**
 * @param exclude exact names of layers that are not pruned.
 * @param whole whether `bytes` are those of the whole file.
 * kappa is the budget's bound; bytes and FLOPs are those of the reference's direct compression (magnitude, for l0), which
 * LC will rebalance between layers: an estimate, said with "about".
 */
export function previewBudget(
  model: PreviewModel,
  budget: Budget,
  exclude: readonly string[] = [],
  whole = budget.scope !== 'layer',
): BudgetPreview {
  const names = model.layers.filter(({ name, prunable }) => prunable > 0 && !exclude.includes(name));
  const viewed = layerViews(
    model.layers,
    names.map(({ name }) => name),
    budget,
  );
  const views = viewed.map(({ view }) => view);
  const prunable = views.reduce((total, view) => total + view.size, 0);
  const frozen = names.reduce(
    (total, layer) => total + (layer.frozen ? layer.prunable - prunableWeightsOf(layer) : 0),
    0,
  );
  const phrase = phraseOf(budget);
  const nothing = { kappa: null, prunable, bytes: null, flopsShare: null };
  if (prunable === 0)
    return {
      ...nothing,
      text: 'nothing to prune',
      problem:
        frozen > 0
          ? 'every prunable layer is frozen in the file: "unfreeze": true in the plan trains and prunes them'
          : 'no prunable layer is left',
    };
  const format = model.format?.(whole) ?? compressedColumns;
  let kappa: number | null;
  let compressed: Compressed | null = null;
  let notes: readonly string[];
  try {
    const compression = createCompression(budget, views, { format });
    notes = compression.notes ?? [];
    kappa = budgetKappa(budget, views, { format });
    const flat = model.weights && flatten(viewed, model.weights);
    // A penalty's threshold depends on mu, which only the run knows.
    if (flat && !isPenalty(budget)) {
      compression.project(flat, 1, flat);
      const kernels = kernelsOf(flat, viewed, budget);
      const sizes = seesUnits(budget) ? unitSizes(views, flat) : sizesOf(kernels, views);
      compressed = { kernels, cost: compression.cost(flat), ...sizes };
    }
  } catch (error) {
    if (!(error instanceof BudgetError || error instanceof RangeError)) throw error;
    return { ...nothing, text: `${phrase}: ${error.message}`, problem: error.message };
  }
  const total = compressed?.weights ?? kappa;
  const dense = views.reduce((sum, { size, flopsPerWeight }) => sum + size * flopsPerWeight, 0);
  const flopsShare = compressed && dense > 0 ? compressed.flops / dense : null;
  const sparse = format(views, budget.quantize);
  const bytes =
    compressed && sparse.encodedBytes
      ? sparse.encodedBytes(concatenated(compressed.kernels))
      : total === null
        ? null
        : storedBytes(sparse, total);
  const asks = (counted: Counted) => askedOf(budget).some(([kind]) => WORDS[kind].counts === counted);
  const neurons = compressed && asks('neurons') ? countOf(compressed.cost, 'neuron') : null;
  const parts = [
    neurons === phrase ? null : neurons,
    total === null ? null : budget.weights === undefined ? countOf(total, 'weight') : shortPercent(total / prunable),
    bytes === null ? null : `about ${bytesText(bytes)} sparse`,
    flopsShare === null || asks('flops') ? null : `${shortPercent(flopsShare)} of the FLOPs`,
    frozen === 0 ? null : `${count(frozen)} frozen weights not counted`,
  ].filter((part) => part !== null);
  return {
    kappa: kappa ?? (asks('bytes') ? total : null),
    prunable,
    bytes,
    flopsShare,
    text: [
      parts.length > 0 ? `${phrase} = ${parts.join(', ')}` : `${phrase}: how many weights stay is known after the run`,
      ...notes,
    ].join('; '),
    problem: null,
  };
}

/** The layers as a new plan trains them: as in the file, or all where that freezes every one of them. */
export function asInNewPlan<M extends PreviewModel>(model: M): M {
  const unfreeze = isWhollyFrozen(model.layers) ? model.layers.map(({ name }) => name) : [];
  return { ...model, layers: trainedLayers(model.layers, byFile(model.layers, { output: null, unfreeze })) };
}

/**
 * What a budget means for a plan.
 * @param model the plan's, as in its file. @param pruned names of layers: by default all that the plan prunes.
 */
export function previewForPlan(
  model: PreviewModel,
  plan: ResolvedPlan,
  budget: Budget,
  pruned: readonly string[] = plan.tasks.flatMap((task) => task.layers),
): BudgetPreview {
  const layers = trainedLayers(model.layers, plan);
  const others = layers.map(({ name }) => name).filter((name) => !pruned.includes(name));
  return previewBudget({ ...model, layers }, budget, others, isOfFile(plan.tasks, budget));
}

/** The tensors that the budget covers; null if a weight's values are missing. */
function flatten(viewed: readonly ViewedLayer[], weights: ReadonlyMap<string, Float32Array>): Float32Array | null {
  const parts = viewed.flatMap((layer) => layer.weights).map((name) => weights.get(name));
  return parts.includes(undefined) ? null : concatenated(parts as Float32Array[]);
}

/** Of the weights that are not 0. */
const sizesOf = (
  kernels: readonly Float32Array[],
  views: readonly LayerView[],
): Pick<Compressed, 'weights' | 'flops'> =>
  kernels.reduce(
    ({ weights, flops }, kernel, i) => {
      const kept = countNonZeros(kernel);
      return { weights: weights + kept, flops: flops + kept * views[i]!.flopsPerWeight };
    },
    { weights: 0, flops: 0 },
  );

function kernelsOf(theta: Float32Array, viewed: readonly ViewedLayer[], budget: Budget): Float32Array[] {
  let at = 0;
  return viewed.map(({ view }) => {
    const start = at;
    at += viewLength(view, budget);
    return theta.subarray(start, start + view.size);
  });
}
