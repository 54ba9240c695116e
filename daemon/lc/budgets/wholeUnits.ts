/** Whole neurons and filters within a number of weights or FLOPs. */
import { count } from '../../protocol/format.js';
import { BudgetError } from '../budgetError.js';
import type { Compression } from '../compression.js';
import { fittingFloors, wantedFloor, withoutFloors } from '../defaultFloors.js';
import { totalSize, type LayerView } from '../layerView.js';
import { groupKnapsack, groupUnits, type Groups } from '../projections/groups.js';

/** Default minimum of groups in each class: as for weights, and at least one. */
export const wantedGroups = (even: number, groups: number): number =>
  Math.max(Math.min(1, groups), wantedFloor(even, groups));

/** Kernel weights of the layers without removable units: the output layers. */
const fixedWeights = (groups: Groups, layers: readonly LayerView[]): number =>
  totalSize(layers) - groups.weights.reduce((total, weights) => total + weights, 0);

/** Whole units whose kernels have at most kappa weights. @throws BudgetError if no unit fits. */
export function unitsOfWeights(key: string, kappa: number, layers: readonly LayerView[]): Compression {
  const groups = groupUnits(layers);
  return unitKnapsack(key, groups, groups.weights, kappa, fixedWeights(groups, layers), 'weights');
}

/** The same for every number of weights, for a search, with the bounds of the search. */
export function unitsOfAnyWeights(kappa: number, layers: readonly LayerView[]) {
  const groups = groupUnits(layers);
  const fixed = fixedWeights(groups, layers);
  return {
    least: kappa - fixed,
    most: totalSize(layers) - fixed,
    compression: (most: number): Compression => flooredKnapsack(groups, groups.weights, most, 'weights'),
  };
}

/** Whole units whose kernels take at most so many FLOPs. @throws BudgetError if no unit fits. */
export function unitsOfFlops(key: string, allowed: number, layers: readonly LayerView[]): Compression {
  const groups = groupUnits(layers);
  const spent = groups.flops.reduce((total, flops) => total + flops, 0);
  const fixed = layers.reduce((total, { size, flopsPerWeight }) => total + size * flopsPerWeight, 0) - spent;
  return unitKnapsack(key, groups, groups.flops, allowed, fixed, 'FLOPs');
}

/** A knapsack of whole units in the budget left by the layers with fixed units (the output). */
function unitKnapsack(
  key: string,
  groups: Groups,
  costs: Float64Array,
  budget: number,
  fixed: number,
  unit: 'weights' | 'FLOPs',
): Compression {
  if (groups.count === 0)
    throw new BudgetError(key, 'no neuron or filter of these layers can be removed: each is an output of the model, feeds what mixes channels (a softmax, a recurrent layer), or a layer that is not pruned'); // prettier-ignore
  const least = fixed + costs.reduce((smallest, cost) => Math.min(smallest, cost), Infinity);
  if (budget < least) {
    throw new BudgetError(
      key,
      `comes to ${count(budget)} ${unit}; one neuron and the layers that stay need ${count(least)}`,
      key === 'weights' ? least : undefined,
    );
  }
  return flooredKnapsack(groups, costs, budget - fixed, unit);
}

/** A knapsack of units that leaves no class empty, as far as the budget allows. */
function flooredKnapsack(groups: Groups, costs: Float64Array, budget: number, unit: string): Compression {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const dearest = new Float64Array(groups.classes.length);
  groups.classOfGroup.forEach((c, g) => (dearest[c] = Math.max(dearest[c]!, costs[g]!)));
  const { floors, without } = fittingFloors(
    groups.classes.map(({ name, count: units }, c) => ({
      name,
      wanted: wantedGroups(budget / total, units),
      cost: dearest[c]!,
    })),
    budget,
  );
  return { ...groupKnapsack(groups, costs, budget, unit, floors), ...withoutFloors(without) };
}
