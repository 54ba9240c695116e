/** Whole neurons and filters within a number of weights or FLOPs. */
import { count } from '../../protocol/format.js';
import { BudgetError } from '../budgetError.js';
import type { Compression } from '../compression.js';
import { withoutFloors } from '../defaultFloors.js';
import { totalSize, type LayerView } from '../layerView.js';
import { groupUnits, type Groups } from '../projections/groups.js';
import { unitConstraint, unitsCost } from '../projections/unitBudgets.js';
import { UnitCosts } from '../projections/unitCosts.js';
import { defaultUnitFloors } from '../unitFloors.js';
import type { Beside } from './kind.js';

type Quantity = 'weights' | 'FLOPs';

/**
 * Whole units whose kernels, as a network without the others has them, hold or take at most so much.
 * @param key of the budget. @throws BudgetError if no unit fits.
 */
export function unitsWithin(
  key: string,
  allowed: number,
  quantity: Quantity,
  { roundTo }: Pick<Beside, 'roundTo'>,
  layers: readonly LayerView[],
): Compression {
  const groups = groupUnits(layers);
  if (groups.count === 0)
    throw new BudgetError(key, 'no neuron or filter of these layers can be removed: each is an output of the model, feeds what mixes channels (a softmax, a recurrent layer), or a layer that is not pruned'); // prettier-ignore
  const costs = new UnitCosts(groups, quantity);
  const counts = new Uint32Array(costs.kinds);
  const single = Array.from(counts, (_, kind) =>
    costs.cost(counts.map((_one, k) => (k === kind ? costs.step(k, roundTo) : 0))),
  );
  const least = single.reduce((smallest, cost) => (cost > 0 ? Math.min(smallest, cost) : smallest), Infinity);
  if (allowed < least) {
    throw new BudgetError(
      key,
      `comes to ${count(allowed)} ${quantity}; one neuron and the layers that stay need ${count(least)}`,
      key === 'weights' ? least : undefined,
    );
  }
  return floored(groups, costs, allowed, quantity, roundTo);
}

/** Leaves no class empty, as far as the budget allows. */
function floored(groups: Groups, costs: UnitCosts, budget: number, quantity: Quantity, roundTo: number): Compression {
  const { floors, without } = defaultUnitFloors(groups, costs, budget, roundTo);
  const limits = groups.classes.map(({ count: cap }, c) => ({ floor: floors[c]!, cap }));
  return { ...unitConstraint(groups, budget, { quantity, limits, roundTo }), ...withoutFloors(without) };
}

/** The same for every number of weights, for a search, with the bounds of the search. */
export function unitsOfAnyWeights(kappa: number, { roundTo }: Pick<Beside, 'roundTo'>, layers: readonly LayerView[]) {
  const groups = groupUnits(layers);
  const costs = new UnitCosts(groups, 'weights');
  return {
    least: kappa,
    most: totalSize(layers),
    compression: (most: number): Compression => floored(groups, costs, most, 'weights', roundTo),
  };
}

/** Weights and FLOPs of the kernels of a network with the units alone that are not 0 in theta, a view of whole units. */
export function unitSizes(layers: readonly LayerView[], theta: Float32Array): { weights: number; flops: number } {
  const groups = groupUnits(layers);
  const of = (quantity: Quantity): number => unitsCost(groups, new UnitCosts(groups, quantity))(theta);
  return { weights: of('weights'), flops: of('FLOPs') };
}
