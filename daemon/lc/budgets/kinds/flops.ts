/** `"flops": "50%"`: a share of the FLOPs of the prunable layers. */
import { planPercent } from '../../../protocol/format.js';
import { count } from '../../../protocol/format.js';
import { BudgetError } from '../../budgetError.js';
import { fittingFloors, wantedFloor, withoutFloors } from '../../defaultFloors.js';
import { denseCost, flopsConstraint } from '../../flops.js';
import { byLayer, type LayerView } from '../../layerView.js';
import { floorsCost, withLimits, type LayerLimit } from '../../limits.js';
import { parseShare } from '../../share.js';
import { weightLimits } from '../counted.js';
import type { Beside, GoalKind, Part, Words } from '../kind.js';
import { shareOfKey, shareText, type Values } from '../values.js';
import { unitsWithin } from '../wholeUnits.js';
import { countedWeights, perScope, sumOf, viewsOf } from '../written.js';

export const words = {
  role: 'goal',
  value: 'share',
  summary:
    'Share of the FLOPs of the prunable layers to keep. Each layer keeps half of an even cut at least, unless "layers" gives it a floor.',
  help: 'Share of the FLOPs of the prunable layers to keep. A Dense weight costs 2, a Conv2D weight `2 * Hout * Wout`.\n\nC step: knapsack by `v_i^2 / f_i`; its distance from the optimum is reported.',
  snippet: '"${1:50%}"',
  suggestions: ['1%', '3%', '5%', '10%', '50%'],
  label: (share) => `${shareText(share)} FLOPs`,
  typed: {
    example: '50% flops',
    offer: 'Keep {0} of the FLOPs',
    unit: 'flops',
    share: {
      of: /^(fl|faster|quicker|op|comput|mac)/,
      things: ['flops?', 'operations?', 'ops', 'compute', 'computation', 'macs?'],
      comparatives: ['faster', 'quicker'],
    },
  },
  phrase: (share) => `${shareText(share)} of the FLOPs`,
  counts: 'flops',
} as const satisfies Words<'share'>;

interface Flops extends Part {
  readonly kind: 'flops';
  readonly share: number;
  readonly written: Values['share'];
}

/** FLOPs that the share allows. @throws BudgetError when no weight fits. */
function allowedFlops({ share, written }: Flops, layers: readonly LayerView[]): number {
  const total = layers.reduce((sum, { size, flopsPerWeight }) => sum + size * flopsPerWeight, 0);
  const cheapest = Math.min(...layers.map(({ flopsPerWeight }) => flopsPerWeight));
  // Rounded down, because a budget is never exceeded.
  const budget = Math.floor(share * total * (1 + 1e-14));
  if (budget < cheapest || budget === 0) {
    const least = planPercent(Math.ceil((1e8 * cheapest) / total) / 1e8);
    throw new BudgetError('flops', `${written} does not pay for one weight; the least is ${least}`, least);
  }
  return budget;
}

/** Floors and caps in FLOPs: the given ones, else the default ones as far as they fit. */
function flopsLimits(
  beside: Beside,
  layers: readonly LayerView[],
  allowed: number,
): { limits: LayerLimit[]; without: readonly string[] } {
  // Kernels of one layer have the same cost: each is applied once at each position.
  const costs = byLayer(layers, (view) => view).map(({ views }) => views[0]!.flopsPerWeight);
  const given = weightLimits(beside, layers).map((limit, i) => ({ ...limit, cost: costs[i]! }));
  const dense = layers.reduce((total, { size, flopsPerWeight }) => total + size * flopsPerWeight, 0);
  const even = dense === 0 ? 0 : allowed / dense;
  const open = ({ name }: LayerLimit): boolean => beside.limits?.[name]?.floor === undefined;
  const { floors, without } = fittingFloors(
    given.map((limit) => ({ ...limit, wanted: open(limit) ? Math.min(limit.cap, wantedFloor(even, limit.size)) : 0 })),
    allowed - floorsCost(given),
  );
  return { limits: given.map((limit, i) => ({ ...limit, floor: Math.max(limit.floor, floors[i]!) })), without };
}

export const goal: GoalKind<Flops, Values['share']> = {
  takes: { limits: 'weights' },
  parse: (written) => ({ kind: 'flops', share: shareOfKey('flops', written), written }),
  kappa: () => null,
  compression(flops, beside, layers) {
    const allowed = allowedFlops(flops, layers);
    if (beside.units) return unitsWithin('flops', allowed, 'FLOPs', beside, layers);
    const { limits, without } = flopsLimits(beside, layers, allowed);
    const forced = floorsCost(limits);
    if (forced > allowed) {
      throw new BudgetError(
        'layers',
        `the floors cost ${count(forced)} FLOPs, more than the budget's ${count(allowed)}`,
      );
    }
    const costed = layers.map(({ size, flopsPerWeight }) => ({ size, cost: flopsPerWeight }));
    const description = `FLOPs constraint, ${allowed} of ${denseCost(costed)}, with floors`;
    return {
      ...withLimits(limits, allowed, (left) => flopsConstraint(left, costed), description),
      ...withoutFloors(without),
    };
  },
  check: (flops, beside, { kernels }) => ({
    asked: String(flops.written),
    ...perScope(beside, kernels, (part) => ({
      limit: allowedFlops(flops, viewsOf(part)),
      got: sumOf(part, (kernel) => kernel.view.flopsPerWeight * countedWeights(kernel, beside)),
    })),
  }),
  path: {
    of: parseShare,
    isShare: () => true,
    range: () => ({ key: 'flops', from: 0.5, to: 0.05, shares: true }),
  },
};
