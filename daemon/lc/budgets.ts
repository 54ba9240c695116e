/** Budgets: what the user asks for, turned into a C step. */
import type { Compression } from './compression.js';
import { BudgetError, grouped, type BudgetSpec, type LayerView } from './budgetSpec.js';
import { l0Constraint, l0Penalty } from './l0.js';
import { l1Constraint, l1Penalty } from './l1.js';
import { l2Constraint, l2Penalty } from './l2.js';
import { perLayer } from './perLayer.js';
import { parseShare, shareOf } from './share.js';

export { BudgetError, seesUnits, unitsOf, viewLength } from './budgetSpec.js';
export type { BudgetSpec, LayerView } from './budgetSpec.js';
export { parseBytes, parseShare, shareOf } from './share.js';

const totalSize = (layers: readonly LayerView[]): number => layers.reduce((total, { size }) => total + size, 0);

/** kappa of a budget over these layers taken together, checked against what there is. */
function globalKappa(budget: BudgetSpec, layers: readonly LayerView[]): number | null {
  const size = totalSize(layers);
  if (budget.keep !== undefined) {
    const kappa = shareOf(parseShare(budget.keep), size);
    if (kappa < 1) throw new BudgetError('keep', `${budget.keep} keeps nothing; the least is 1 weight`, 1 / size);
    return kappa;
  }
  if (budget.weights !== undefined) {
    const kappa = budget.weights;
    if (kappa < 1) throw new BudgetError('weights', `${kappa} keeps nothing; the least is 1`, 1);
    if (kappa > size) {
      throw new BudgetError(
        'weights',
        `${kappa} exceeds the ${grouped(size)} prunable weights; the most is ${size}`,
        size,
      );
    }
    return kappa;
  }
  return null;
}

/**
 * Number of weights the budget keeps at most over these layers; null where it cannot be known before (penalty forms,
 * radii, FLOPs, neurons).
 * @throws BudgetError
 */
export function budgetKappa(budget: BudgetSpec, layers: readonly LayerView[]): number | null {
  if (budget.scope !== 'layer') return globalKappa(budget, layers);
  const each = layers.map((layer) => globalKappa(budget, [layer]));
  return each.reduce<number | null>((total, kappa) => (total === null || kappa === null ? null : total + kappa), 0);
}

function globalCompression(budget: BudgetSpec, layers: readonly LayerView[]): Compression {
  const norm = budget.norm ?? 'l0';
  const kappa = globalKappa(budget, layers);
  if (kappa !== null) return l0Constraint(kappa, totalSize(layers));
  if (budget.alpha !== undefined) return { l0: l0Penalty, l1: l1Penalty, l2: l2Penalty }[norm](budget.alpha);
  if (budget.radius !== undefined && norm !== 'l0') {
    return { l1: l1Constraint, l2: l2Constraint }[norm](budget.radius);
  }
  throw new BudgetError('budget', 'asks for nothing; give one of keep, weights, bytes, flops, neurons, pattern, alpha');
}

/**
 * The C step of a budget over the layers whose weights, concatenated in this order, are the view (see LayerView).
 * @throws BudgetError when the budget contradicts itself or cannot be met, with the nearest valid value.
 */
export function createCompression(budget: BudgetSpec, layers: readonly LayerView[]): Compression {
  if (budget.scope !== 'layer') return globalCompression(budget, layers);
  return perLayer(
    layers.map((layer) => ({ name: layer.name, size: layer.size, compression: globalCompression(budget, [layer]) })),
  );
}
