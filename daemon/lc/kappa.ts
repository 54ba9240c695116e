import { patternCapacity } from './projections/blocks.js';
import { BudgetError, blocksOf, type BudgetSpec, type LayerView } from './budgetSpec.js';
import { parseBytes, shareOf } from './share.js';
import { kappaOfBytes, storedBytes, type SparseFormatOf } from './sparseFormat.js';
import { amountOfKey, parsePattern, shareOfKey } from './validateBudget.js';
import { count, planPercent } from '../protocol/format.js';

export const totalSize = (layers: readonly LayerView[]): number => layers.reduce((total, { size }) => total + size, 0);

/** Weights that a layer can keep at most: all, or what an N:M pattern leaves. */
export function layerCapacity(budget: BudgetSpec, layer: LayerView): number {
  if (budget.pattern === undefined) return layer.size;
  const { n, m } = parsePattern(budget.pattern);
  return patternCapacity(n, m, blocksOf(layer));
}

/**
 * kappa, the weights kept at most, of a budget over these layers taken together; null where it cannot be known before the
 * run (penalty forms, radii, FLOPs, neurons).
 * @throws BudgetError below 1 or above what there is.
 */
export function globalKappa(budget: BudgetSpec, layers: readonly LayerView[], format: SparseFormatOf): number | null {
  const size = totalSize(layers);
  const most = layers.reduce((total, layer) => total + layerCapacity(budget, layer), 0);
  const limit = budget.pattern === undefined ? 'prunable weights' : `weights that ${budget.pattern} can keep`;
  if (budget.keep !== undefined) {
    const kappa = shareOf(shareOfKey('keep', budget.keep), size);
    if (kappa < 1) {
      throw new BudgetError('keep', `${budget.keep} keeps nothing; the least is 1 weight`, planPercent(1 / size));
    }
    if (kappa > most) {
      const nearest = planPercent(Math.floor((1e6 * most) / size) / 1e6);
      throw new BudgetError(
        'keep',
        `${budget.keep} exceeds the ${count(most)} ${limit}; the most is ${nearest}`,
        nearest,
      );
    }
    return kappa;
  }
  if (budget.weights !== undefined) {
    const kappa = budget.weights;
    if (!Number.isInteger(kappa)) throw new BudgetError('weights', `${kappa} is not a whole number`, Math.ceil(kappa));
    if (kappa < 1) throw new BudgetError('weights', `${kappa} keeps nothing; the least is 1`, 1);
    if (kappa > most) {
      throw new BudgetError('weights', `${kappa} exceeds the ${count(most)} ${limit}; the most is ${most}`, most);
    }
    return kappa;
  }
  if (budget.bytes !== undefined) {
    const bytes = bytesOfKey(budget.bytes);
    const sparse = format(layers, budget.quantize);
    const kappa = kappaOfBytes(sparse, bytes);
    if (kappa < 1) {
      const least = storedBytes(sparse, 1);
      throw new BudgetError(
        'bytes',
        `${budget.bytes} does not hold one weight beside the format's ${sparse.overheadBytes} bytes; the least is ${least}`,
        least,
      );
    }
    return Math.min(kappa, most);
  }
  return budget.pattern !== undefined || budget.quantize !== undefined ? most : null;
}

/** @throws BudgetError */
export function bytesOfKey(bytes: number | string): number {
  try {
    return parseBytes(bytes);
  } catch {
    throw new BudgetError('bytes', `${bytes} is not a size such as 8192 or "8 kB"`);
  }
}

/** FLOPs that a share of the layers' FLOPs allows. @throws BudgetError when no weight fits. */
export function flopsBudget(flops: number | string, layers: readonly LayerView[]): number {
  const total = layers.reduce((sum, { size, flopsPerWeight }) => sum + size * flopsPerWeight, 0);
  const cheapest = Math.min(...layers.map(({ flopsPerWeight }) => flopsPerWeight));
  // A budget is never exceeded, so rounded down.
  const budget = Math.floor(shareOfKey('flops', flops) * total * (1 + 1e-14));
  if (budget < cheapest || budget === 0) {
    const least = planPercent(Math.ceil((1e8 * cheapest) / total) / 1e8);
    throw new BudgetError('flops', `${flops} does not pay for one weight; the least is ${least}`, least);
  }
  return budget;
}

/** Groups that a neuron budget keeps: a count (1 is one neuron), or a share. @throws BudgetError below 1 or above `available`. */
export function neuronCount(neurons: number | string, available: number): number {
  if (available === 0) throw new BudgetError('neurons', 'there are no neurons that can be removed');
  if (typeof neurons === 'number' && neurons > 1 && !Number.isInteger(neurons))
    throw new BudgetError('neurons', `${neurons} is not a whole number; shares are below 1, or percentages`, Math.ceil(neurons)); // prettier-ignore
  const amount = amountOfKey('neurons', neurons);
  const kept = 'count' in amount ? amount.count : shareOf(amount.share, available);
  if (kept < 1) throw new BudgetError('neurons', `${neurons} keeps nothing; the least is 1 neuron`, 1);
  if (kept > available) {
    throw new BudgetError(
      'neurons',
      `${neurons} exceeds the ${count(available)} neurons that can be removed; the most is ${available}`,
      available,
    );
  }
  return kept;
}
