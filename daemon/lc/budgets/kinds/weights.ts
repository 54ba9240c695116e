/** `"weights": 2662`: a number of weights. */
import { count, countOf } from '../../../protocol/format.js';
import { BudgetError } from '../../budgetError.js';
import type { LayerView } from '../../layerView.js';
import { countedCompression, mostWeights, mostWords } from '../counted.js';
import type { Beside, GoalKind, Part, Words } from '../kind.js';
import { unitsWithin } from '../wholeUnits.js';
import { countedWeights, perScope, sumOf, viewsOf } from '../written.js';

export const words = {
  role: 'goal',
  value: 'count',
  summary: 'Number of weights to keep: kappa.',
  help: 'Number of weights to keep, `kappa`: the C step keeps the kappa largest `|v_i|` and zeroes the rest (exact, O(n)).',
  snippet: '${1:2662}',
  label: (weights) => countOf(weights, 'weight'),
  typed: {
    example: '2662 weights',
    offer: 'Keep {0} weights',
    shown: count,
    unit: 'weights',
    count: { of: /^(w|param)/ },
  },
  counts: 'weights',
} as const satisfies Words<'count'>;

interface Weights extends Part {
  readonly kind: 'weights';
  readonly weights: number;
}

function kappaOf({ weights: kappa }: Weights, beside: Beside, layers: readonly LayerView[]): number {
  const most = mostWeights(beside, layers);
  if (!Number.isInteger(kappa)) throw new BudgetError('weights', `${kappa} is not a whole number`, Math.ceil(kappa));
  if (kappa < 1) throw new BudgetError('weights', `${kappa} keeps nothing; the least is 1`, 1);
  if (kappa > most)
    throw new BudgetError('weights', `${kappa} exceeds the ${count(most)} ${mostWords(beside)}; the most is ${most}`, most); // prettier-ignore
  return kappa;
}

export const goal: GoalKind<Weights, number> = {
  takes: { counted: true, limits: 'weights' },
  parse: (weights) => ({ kind: 'weights', weights }),
  kappa: kappaOf,
  compression(weights, beside, layers) {
    const kappa = kappaOf(weights, beside, layers);
    return beside.units
      ? unitsWithin('weights', kappa, 'weights', beside, layers)
      : countedCompression(beside, layers, kappa, true);
  },
  check: (weights, beside, { kernels }) => ({
    asked: String(weights.weights),
    ...perScope(beside, kernels, (part) => ({
      limit: kappaOf(weights, beside, viewsOf(part)),
      got: sumOf(part, (kernel) => countedWeights(kernel, beside)),
    })),
  }),
  path: {
    of: Number,
    isShare: () => false,
    // A number alone does not show how much the network can lose: the same path as for shares.
    range: () => ({ key: 'keep', from: 0.1, to: 0.005, shares: true }),
    keyOf: (listed) => (typeof listed === 'number' && listed >= 1 ? 'weights' : 'keep'),
  },
};
