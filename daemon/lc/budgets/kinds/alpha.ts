/** `"alpha": 1e-5`: the penalty form, min L(w) + alpha C(w). */
import { BudgetError } from '../../budgetError.js';
import type { Compression } from '../../compression.js';
import { flopsPenalty } from '../../flops.js';
import type { LayerView } from '../../layerView.js';
import { groupUnits } from '../../projections/groups.js';
import { l0Penalty } from '../../projections/l0.js';
import { l1Penalty } from '../../projections/l1.js';
import { l2Penalty } from '../../projections/l2.js';
import { unitPenalty } from '../../projections/unitBudgets.js';
import type { Beside, GoalKind, Part, Words } from '../kind.js';
import { positiveOfKey } from '../values.js';
import { joined, keptGroups, viewsOf } from '../written.js';

export const words = {
  role: 'goal',
  value: 'positive',
  summary: 'Penalty form: the weight of the cost, min L(w) + alpha C(w).',
  help: 'Penalty form: `min L(w) + alpha C(w)` instead of a hard limit.\n\nC step for l0: keep `v_i` where `|v_i| > sqrt(2 alpha / mu)`. For l1: soft threshold at `alpha / mu`. For l2: `v * mu / (mu + 2 alpha)`.',
  snippet: '${1:1e-5}',
  label: (alpha) => `alpha ${alpha}`,
  counts: 'penalty',
  penalty: true,
} as const satisfies Words<'positive'>;

interface Alpha extends Part {
  readonly kind: 'alpha';
  readonly alpha: number;
  readonly norm: 'l0' | 'l1' | 'l2';
  /** The quantity that alpha multiplies under l0. */
  readonly cost: 'count' | 'flops';
}

function compression(
  { alpha, norm, cost }: Alpha,
  { units, roundTo }: Beside,
  layers: readonly LayerView[],
): Compression {
  if (units)
    return unitPenalty(groupUnits(layers), alpha, { quantity: cost === 'flops' ? 'FLOPs' : 'neurons', roundTo });
  if (cost === 'flops')
    return flopsPenalty(
      alpha,
      layers.map(({ size, flopsPerWeight }) => ({ size, cost: flopsPerWeight })),
    );
  return { l0: l0Penalty, l1: l1Penalty, l2: l2Penalty }[norm](alpha);
}

export const goal: GoalKind<Alpha, number> = {
  takes: { norm: true, localUnits: true },
  parse(alpha, { norm = 'l0', cost, form }) {
    positiveOfKey('alpha', alpha);
    if (form === 'constraint') throw new BudgetError('form', '"alpha" makes it a penalty', 'penalty');
    return { kind: 'alpha', alpha, norm, cost: cost ?? 'count' };
  },
  kappa: () => null,
  compression,
  check: (penalty, beside, { kernels }) => ({
    asked: `alpha ${penalty.alpha}, ${penalty.norm}`,
    limit: null,
    got: beside.units ? keptGroups(kernels) : compression(penalty, beside, viewsOf(kernels)).cost(joined(kernels)),
    met: null,
  }),
  isFound: () => true,
  boundsValues: ({ norm }) => norm === 'l2',
};
