/** Budgets that amount to a number of weights, with structures, a codebook, floors and caps. */
import { count } from '../../protocol/format.js';
import { BudgetError } from '../budgetError.js';
import type { Compression } from '../compression.js';
import { byLayer, totalSize, type LayerView } from '../layerView.js';
import { floorsCost, withLimits, type LayerLimit } from '../limits.js';
import { inSequence } from '../projections/blocks.js';
import { l0Constraint } from '../projections/l0.js';
import { int8, learnedCodebook, ternary } from '../quantize.js';
import { parseShare, shareOf } from '../share.js';
import type { Beside } from './kind.js';
import type { Codebook } from './values.js';

type Counted = Pick<Beside, 'structures' | 'quantize' | 'limits'>;

/** Largest number of weights that a layer can keep: all, or as many as every structure allows. */
const capacity = ({ structures }: Pick<Beside, 'structures'>, layer: LayerView): number =>
  structures.reduce((least, structure) => Math.min(least, structure.capacity(layer)), layer.size);

/** Largest number of weights that the layers can keep. */
export const mostWeights = (beside: Pick<Beside, 'structures'>, layers: readonly LayerView[]): number =>
  layers.reduce((total, layer) => total + capacity(beside, layer), 0);

/** Description of what `mostWeights` counts. */
export const mostWords = ({ structures }: Pick<Beside, 'structures'>): string =>
  structures.length === 0
    ? 'prunable weights'
    : `weights that ${structures.map(({ name }) => name).join(' and ')} can keep`;

/**
 * The C step that keeps at most kappa weights. Structures come first: they only remove weights, with a cap per part of a unit. So the exact solution
 * is the largest of the remaining weights (caps on nested sets are a matroid, on which greedy is optimal).
 * @param exactly whether kappa is the plan's own number, so that caps must leave as many.
 */
export function countedCompression(
  beside: Counted,
  layers: readonly LayerView[],
  kappa: number,
  exactly: boolean,
): Compression {
  const counted = beside.quantize
    ? quantization(beside.quantize.codebook, kappa, layers)
    : limitedConstraint(beside, layers, kappa, exactly);
  return beside.structures.length === 0 ? counted : inSequence(structured(beside, layers), counted);
}

const structured = ({ structures }: Counted, layers: readonly LayerView[]): Compression =>
  structures.map((structure) => structure.compression(layers)).reduce(inSequence);

/** Keeps everything that structures, a codebook, floors and caps allow: a budget without a goal. */
export function everything(beside: Counted, layers: readonly LayerView[]): Compression {
  const most = mostWeights(beside, layers);
  if (beside.quantize || beside.limits !== null) return countedCompression(beside, layers, most, false);
  const structure = structured(beside, layers);
  return { ...structure, description: `${structure.description}, at most ${most} of ${totalSize(layers)}` };
}

function quantization(codebook: Codebook, kappa: number, layers: readonly LayerView[]): Compression {
  const size = totalSize(layers);
  if (codebook === 'int8')
    return int8(
      kappa,
      layers.map((layer) => layer.size),
    );
  return codebook === 'ternary' ? ternary(kappa, size) : learnedCodebook(codebook, kappa, size);
}

function limitedConstraint(
  beside: Counted,
  layers: readonly LayerView[],
  kappa: number,
  exactly: boolean,
): Compression {
  const size = totalSize(layers);
  if (beside.limits === null) return l0Constraint(kappa, size);
  const limits = weightLimits(beside, layers);
  const forced = floorsCost(limits);
  const most = limits.reduce((total, { cap }) => total + cap, 0);
  if (forced > kappa) {
    throw new BudgetError(
      'layers',
      `the floors keep ${count(forced)} weights, more than the budget's ${count(kappa)}; raise it to ${forced}`,
    );
  }
  if (most < kappa && exactly) {
    throw new BudgetError(
      'layers',
      `the caps leave ${count(most)} weights, less than the budget's ${count(kappa)}; lower it to ${most}`,
    );
  }
  const description = `l0 constraint, kappa = ${Math.min(kappa, most)} of ${size}, with limits`;
  return withLimits(limits, kappa, (left) => l0Constraint(left, size), description);
}

/** Floors and caps in weights, one of each per layer. A floor is lowered to what structures leave. */
export function weightLimits(
  beside: Pick<Beside, 'structures' | 'limits'>,
  layers: readonly LayerView[],
): LayerLimit[] {
  return byLayer(layers, (view) => view).map(({ name, views }) => {
    const { floor, cap } = beside.limits?.[name] ?? {};
    const size = totalSize(views);
    const largest = mostWeights(beside, views);
    const most = cap === undefined ? largest : Math.min(largest, shareOf(parseShare(cap), size));
    const least = floor === undefined ? 0 : Math.min(most, shareOf(parseShare(floor), size));
    return { name, size, floor: least, cap: most };
  });
}
