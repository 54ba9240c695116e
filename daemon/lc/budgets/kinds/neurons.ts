/** `"neurons": 100`: whole neurons and filters, a number or a share of them. */
import { count, countOf } from '../../../protocol/format.js';
import { BudgetError, inLayer } from '../../budgetError.js';
import type { Compression } from '../../compression.js';
import { fittingFloors, withoutFloors } from '../../defaultFloors.js';
import { groupUnits, type Groups } from '../../projections/groups.js';
import { groupConstraint, leastUnits, unitConstraint, type ClassLimit } from '../../projections/unitBudgets.js';
import { parseAmount, parseShare, shareOf } from '../../share.js';
import { UnitCosts } from '../../projections/unitCosts.js';
import { defaultUnitFloors, floorsCost, wantedGroups } from '../../unitFloors.js';
import type { Beside, GoalKind, Part, Words } from '../kind.js';
import { amountOfKey, shareText, type Values } from '../values.js';
import { keptGroups, viewsOf } from '../written.js';

const isCount = (neurons: Values['amount']): neurons is number => typeof neurons === 'number' && neurons >= 1;

export const words = {
  role: 'goal',
  value: 'amount',
  summary:
    'Neurons and filters to keep: a count (1 is one neuron) or a share (below 1, or a percentage: "100%" is all). Those that the network joins (residual adds) go together.',
  help: 'Neurons and filters to keep: a count (`1` is one neuron) or a share (below 1, or a percentage: `"100%"` is all). A unit is its incoming weights, bias and BatchNorm; the K units with the largest `||v_g||^2` stay. Filters joined by a residual add count as one.',
  snippet: '"${1:50%}"',
  label: (neurons) => (isCount(neurons) ? countOf(neurons, 'neuron') : `${shareText(neurons)} of neurons`),
  phrase: (neurons) => (isCount(neurons) ? countOf(neurons, 'neuron') : `${shareText(neurons)} of the neurons`),
  typed: {
    example: '100 neurons',
    offer: 'Keep {0} neurons and filters',
    unit: 'neurons',
    share: {
      of: /^(n|f(?!l|aster)|units?|channels?)/,
      things: ['neurons?', 'filters?', 'units?', 'channels?'],
      comparatives: [],
    },
    count: { of: /^(n|units?|filters?|channels?)/ },
  },
  counts: 'neurons',
  wholeUnits: true,
} as const satisfies Words<'amount'>;

interface Neurons extends Part {
  readonly kind: 'neurons';
  readonly written: Values['amount'];
}

/** Groups that are kept: a count (1 is one neuron), or a share. @throws BudgetError below 1 or above `available`. */
function keptOf({ written: neurons }: Neurons, available: number): number {
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

/** The same share or number of neurons of each layer, tied layers together. */
function localNeurons(neurons: Neurons, groups: Groups, roundTo: number): Compression {
  const least = leastUnits(groups, roundTo);
  const limits = groups.classes.map(({ name, count: units }, c) => {
    const kept = inLayer(name, () => keptOf(neurons, units));
    // Rounded down, because a budget is never exceeded.
    return { floor: roundTo === 1 ? kept : Math.min(kept, least[c]!), cap: kept };
  });
  const short = limits.findIndex(({ cap }, c) => cap < least[c]!);
  if (short >= 0) {
    const [{ cap }, { name, count: units }] = [limits[short]!, groups.classes[short]!];
    throw new BudgetError('roundTo', `layer "${name}" would keep ${cap} of its ${units} neurons, which is no multiple of ${roundTo}; it can keep ${least[short]!} or more`); // prettier-ignore
  }
  const all = limits.reduce((total, { cap }) => total + cap, 0);
  const kept = keptOf({ kind: 'neurons', written: all }, groups.count);
  return constraint(groups, kept, limits, roundTo);
}

/** Any numbers of units are chosen exactly by their norms; multiples need a search. */
const constraint = (groups: Groups, kept: number, limits: readonly ClassLimit[], roundTo: number): Compression =>
  roundTo === 1
    ? groupConstraint(groups, kept, limits)
    : unitConstraint(groups, kept, { quantity: 'neurons', limits, roundTo });

/** Floors and caps in units of the layer; tied layers share the tightest. Default floors as far as they fit. */
function classLimits(
  given: Beside['limits'],
  groups: Groups,
  kept: number,
  roundTo: number,
): { limits: ClassLimit[]; without: readonly string[] } {
  const limits = groups.classes.map((units) => ({ floor: 0, cap: units.count }));
  const floored = new Set<number>();
  for (const [name, { floor, cap }] of Object.entries(given ?? {})) {
    const index = groups.classOfLayer.get(name);
    if (index === undefined)
      throw new BudgetError(`layers.${name}`, 'its neurons are never removed; it takes no limits');
    const limit = limits[index]!;
    const units = groups.classes[index]!.count;
    if (floor !== undefined) {
      limit.floor = Math.max(limit.floor, shareOf(parseShare(floor), units));
      floored.add(index);
    }
    if (cap !== undefined) limit.cap = Math.min(limit.cap, shareOf(parseShare(cap), units));
    if (limit.floor > limit.cap) {
      throw new BudgetError(`layers.${name}`, `the floor of ${limit.floor} neurons is above the cap of ${limit.cap}`);
    }
  }
  const least = limits.reduce((total, { floor }) => total + floor, 0);
  const most = limits.reduce((total, { cap }) => total + cap, 0);
  if (least > kept)
    throw new BudgetError('neurons', `${kept} is below the ${least} of the floors; the least is ${least}`, least);
  if (most < kept)
    throw new BudgetError('neurons', `${kept} is above the ${most} of the caps; the most is ${most}`, most);
  if (roundTo > 1) return multipleLimits(groups, kept, roundTo, limits, floored);
  const even = kept / groups.count;
  const { floors, without } = fittingFloors(
    groups.classes.map(({ name, count: units }, c) => ({
      name,
      wanted: floored.has(c) ? 0 : Math.min(limits[c]!.cap, wantedGroups(even, units)),
      cost: 1,
    })),
    kept - least,
  );
  return { limits: limits.map(({ floor, cap }, c) => ({ floor: Math.max(floor, floors[c]!), cap })), without };
}

/** Limits in multiples: floors are rounded up. @param floored the classes whose floors the plan has. */
function multipleLimits(
  groups: Groups,
  kept: number,
  roundTo: number,
  given: readonly ClassLimit[],
  floored: ReadonlySet<number>,
): { limits: ClassLimit[]; without: readonly string[] } {
  const costs = new UnitCosts(groups, 'neurons');
  const { floors, without } = defaultUnitFloors(groups, costs, kept, roundTo);
  const limits = given.map(({ floor, cap }, c) => ({ floor: floored.has(c) ? floor : Math.min(cap, floors[c]!), cap }));
  const least = leastUnits(groups, roundTo);
  const low = limits.findIndex(({ floor, cap }, c) => floor > 0 && cap < least[c]!);
  if (low >= 0)
    throw new BudgetError('layers', `the cap of "${groups.classes[low]!.name}" leaves ${limits[low]!.cap} neurons, which is no multiple of ${roundTo}; the least is ${least[low]!}`); // prettier-ignore
  const rounded = floorsCost(costs, roundTo, limits.map(({ floor }) => floor)); // prettier-ignore
  if (rounded > kept)
    throw new BudgetError('neurons', `${kept} is below the ${rounded} of the floors in multiples of ${roundTo}; the least is ${rounded}`, rounded); // prettier-ignore
  return { limits, without };
}

export const goal: GoalKind<Neurons, Values['amount']> = {
  takes: { limits: 'units', localUnits: true },
  parse: (written) => ({ kind: 'neurons', written }),
  kappa: () => null,
  compression(neurons, { scope, limits: given, roundTo }, layers) {
    const groups = groupUnits(layers);
    if (scope === 'layer') return localNeurons(neurons, groups, roundTo);
    const kept = keptOf(neurons, groups.count);
    const { limits, without } = classLimits(given, groups, kept, roundTo);
    return { ...constraint(groups, kept, limits, roundTo), ...withoutFloors(without) };
  },
  check(neurons, { scope }, { kernels }) {
    const groups = groupUnits(viewsOf(kernels));
    const got = keptGroups(kernels);
    // Tied layers share their neurons, so a local budget applies to a class of tied layers.
    const limit =
      scope === 'layer'
        ? groups.classes.reduce((total, { count: units }) => total + keptOf(neurons, units), 0)
        : keptOf(neurons, groups.count);
    return { asked: String(neurons.written), limit, got, met: got <= limit };
  },
  path: {
    of(written) {
      const amount = parseAmount(written);
      return 'count' in amount ? amount.count : amount.share;
    },
    isShare: (written) => 'share' in parseAmount(written),
    range: () => ({ key: 'neurons', from: 0.8, to: 0.1, shares: true }),
  },
};
