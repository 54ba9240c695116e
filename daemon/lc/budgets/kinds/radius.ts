/** `"radius": 1000`: a bound on the l1 norm, or on the square of the l2 norm. */
import { BudgetError } from '../../budgetError.js';
import { l1Constraint } from '../../projections/l1.js';
import { l2Constraint } from '../../projections/l2.js';
import type { GoalKind, Part, Words } from '../kind.js';
import { positiveOfKey } from '../values.js';
import { sumOf } from '../written.js';

export const words = {
  role: 'goal',
  value: 'positive',
  summary: 'l1 or l2 constraint: bound on ||theta||_1, or on ||theta||_2 squared.',
  help: 'Constraint on a norm: `||theta||_1 <= radius`, or `||theta||_2^2 <= radius` with `"norm": "l2"`.\n\nC step for l1: soft threshold at the tau for which the norm is the radius. For l2: `v * min(1, sqrt(radius) / ||v||_2)`.',
  snippet: '${1:100}',
  label: (radius) => `radius ${radius}`,
  counts: 'norm',
} as const satisfies Words<'positive'>;

interface Radius extends Part {
  readonly kind: 'radius';
  readonly radius: number;
  readonly norm: 'l1' | 'l2';
}

/** Relative rounding error of a float32 norm. */
const ROUNDING = 1e-5;

export const goal: GoalKind<Radius, number> = {
  takes: { norm: true },
  parse(radius, { norm = 'l0' }) {
    positiveOfKey('radius', radius);
    if (norm === 'l0')
      throw new BudgetError('radius', 'bounds a norm; add "norm": "l1" or "l2", or give "weights" for l0');
    return { kind: 'radius', radius, norm };
  },
  kappa: () => null,
  compression: ({ radius, norm }) => (norm === 'l2' ? l2Constraint(radius) : l1Constraint(radius)),
  check({ radius, norm }, _beside, { kernels }) {
    const size = norm === 'l2' ? (x: number) => x * x : Math.abs;
    const got = sumOf(kernels, ({ data }) => data.reduce((total, x) => total + size(x), 0));
    // The l1 ball chooses the support; retraining it may leave the ball. [P, Table 1]
    const met = norm === 'l1' ? null : got <= radius * (1 + ROUNDING);
    return { asked: `${norm} radius ${radius}`, limit: radius, got, met };
  },
  isFound: ({ norm }) => norm === 'l1',
  boundsValues: ({ norm }) => norm === 'l2',
};
