/** Default floors of whole units, under a cost that they have together. */
import { wantedFloor } from './defaultFloors.js';
import type { Groups } from './projections/groups.js';
import { leastUnits } from './projections/unitBudgets.js';
import { KeptUnits, type UnitCosts } from './projections/unitCosts.js';

const BISECTIONS = 50;
/** Of a share that bisection found. */
const ROUNDING = 1e-12;

/** Default minimum of groups in each class: as for weights, and at least one. */
export const wantedGroups = (even: number, groups: number): number =>
  Math.max(Math.min(1, groups), wantedFloor(even, groups));

/** The largest number in [0, 1] that fits, to within 2^-50; 0 if none does. */
function largestShare(fits: (share: number) => boolean): number {
  if (fits(1)) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The largest cost of so many units of each class, each kind in its steps. */
export function floorsCost(costs: UnitCosts, roundTo: number, floors: readonly number[]): number {
  const counts = new Float64Array(costs.kinds);
  const all = new KeptUnits(costs, costs.sizes);
  const dearest = [...counts.keys()].sort((a, b) => all.difference(a, -1) - all.difference(b, -1) || a - b);
  const left = [...floors];
  for (const kind of dearest) {
    const c = costs.classOf[kind]!;
    const wanted = Math.min(costs.sizes[kind]!, Math.max(0, left[c]!));
    const step = costs.step(kind, roundTo);
    counts[kind] = Math.min(costs.sizes[kind]!, Math.ceil(wanted / step) * step);
    left[c]! -= wanted;
  }
  return costs.cost(counts);
}

/**
 * Half of what an even cut of all classes would keep of each, and at least one unit (or one multiple of `roundTo`), as far as these fit.
 * @returns by class; and the names of classes without a floor, the dearest.
 */
export function defaultUnitFloors(
  groups: Groups,
  costs: UnitCosts,
  budget: number,
  roundTo: number,
): { readonly floors: readonly number[]; readonly without: readonly string[] } {
  const costOf = (floors: readonly number[]): number => floorsCost(costs, roundTo, floors);
  const fits = (floors: readonly number[]): boolean => costOf(floors) <= budget;
  const even = (1 + ROUNDING) * largestShare((share) => costs.cost(Float64Array.from(costs.sizes, (n) => share * n)) <= budget); // prettier-ignore
  const first = leastUnits(groups, roundTo);
  while (!fits(first)) {
    const saved = first.map((units, c) => (units === 0 ? -1 : costOf(first) - costOf(first.with(c, 0)))); // prettier-ignore
    const dearest = saved.lastIndexOf(Math.max(...saved));
    if (saved[dearest]! <= 0) break;
    first[dearest] = 0;
  }
  const wanted = groups.classes.map(({ count }, c) => (first[c] === 0 ? 0 : Math.max(first[c]!, wantedGroups(even, count)))); // prettier-ignore
  const raised = (share: number): number[] =>
    wanted.map((most, c) => first[c]! + Math.floor(share * (most - first[c]!)));
  const without = groups.classes.filter((_, c) => first[c] === 0).map(({ name }) => name);
  return { floors: raised(largestShare((share) => fits(raised(share)))), without };
}
