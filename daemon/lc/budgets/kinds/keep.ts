/** `"keep": "1%"`: a share of the prunable weights. */
import { planPercent } from '../../../protocol/format.js';
import { count } from '../../../protocol/format.js';
import { BudgetError } from '../../budgetError.js';
import { totalSize, type LayerView } from '../../layerView.js';
import { parseShare, shareOf } from '../../share.js';
import { countedCompression, mostWeights, mostWords } from '../counted.js';
import type { Beside, GoalKind, Part, Words } from '../kind.js';
import { shareOfKey, shareText, type Values } from '../values.js';
import { unitsWithin } from '../wholeUnits.js';
import { countedWeights, perScope, sumOf, viewsOf } from '../written.js';

export const words = {
  role: 'goal',
  value: 'share',
  summary: 'Share of the prunable weights to keep: kappa = ceil(share * N).',
  help: 'Share of the prunable weights to keep.\n\n`kappa = ceil(share * N)`, N the number of prunable weights.',
  snippet: '"${1:1%}"',
  suggestions: ['1%', '3%', '5%', '10%', '50%'],
  label: shareText,
  typed: {
    example: '1%',
    offer: 'Keep {0} of the weights',
    share: {
      of: /^[wkps]/,
      things: ['weights?', 'parameters?', 'params?', 'size'],
      comparatives: ['smaller', 'fewer', 'less', 'lighter', 'reduction', 'compression'],
    },
  },
  counts: 'weights',
} as const satisfies Words<'share'>;

interface Keep extends Part {
  readonly kind: 'keep';
  readonly share: number;
  readonly written: Values['share'];
}

function kappaOf({ share, written }: Keep, beside: Beside, layers: readonly LayerView[]): number {
  const size = totalSize(layers);
  const most = mostWeights(beside, layers);
  const kappa = shareOf(share, size);
  if (kappa < 1)
    throw new BudgetError('keep', `${written} keeps nothing; the least is 1 weight`, planPercent(1 / size));
  if (kappa > most) {
    const nearest = planPercent(Math.floor((1e6 * most) / size) / 1e6);
    throw new BudgetError('keep', `${written} exceeds the ${count(most)} ${mostWords(beside)}; the most is ${nearest}`, nearest); // prettier-ignore
  }
  return kappa;
}

/** A path from 10% down; for a plan that keeps more, as with small networks, around its share. */
const RANGE = { from: 0.1, to: 0.005 };
const TIMES_SMALLER = 12;

export const goal: GoalKind<Keep, Values['share']> = {
  takes: { counted: true, limits: 'weights' },
  parse: (written) => ({ kind: 'keep', share: shareOfKey('keep', written), written }),
  kappa: kappaOf,
  compression(keep, beside, layers) {
    const kappa = kappaOf(keep, beside, layers);
    return beside.units
      ? unitsWithin('keep', kappa, 'weights', beside, layers)
      : countedCompression(beside, layers, kappa, true);
  },
  check: (keep, beside, { kernels }) => ({
    asked: typeof keep.written === 'number' ? `${100 * keep.written}%` : keep.written,
    ...perScope(beside, kernels, (part) => ({
      limit: kappaOf(keep, beside, viewsOf(part)),
      got: sumOf(part, (kernel) => countedWeights(kernel, beside)),
    })),
  }),
  path: {
    of: parseShare,
    isShare: () => true,
    range(written) {
      const wanted = parseShare(written);
      const range = wanted > RANGE.from ? { from: Math.max(0.5, wanted), to: wanted / TIMES_SMALLER } : RANGE;
      return { key: 'keep', ...range, shares: true };
    },
    keyOf: (listed) => (typeof listed === 'number' && listed >= 1 ? 'weights' : 'keep'),
  },
};
