import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  BudgetError,
  budgetKappa,
  createCompression,
  viewLength,
  type BudgetSpec,
  type LayerView,
} from '../../../daemon/lc/budgets.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { Budget } from '../../../daemon/protocol/plan.js';
import { nonZeros } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

const layers: LayerView[] = [
  {
    name: 'conv',
    size: 90,
    shape: [3, 3, 2, 5],
    units: 5,
    flopsPerWeight: 128,
    unitVectors: 3,
    groups: [0, 1, 2, 3, 4],
  },
  {
    name: 'conv2',
    size: 45,
    shape: [3, 3, 1, 5],
    units: 5,
    flopsPerWeight: 32,
    unitVectors: 1,
    groups: [0, 1, 2, 3, 4],
  },
  { name: 'fc', size: 84, shape: [12, 7], units: 7, flopsPerWeight: 2, unitVectors: 1 },
  { name: 'out', size: 21, shape: [7, 3], units: 3, flopsPerWeight: 2, unitVectors: 1, groups: [-1, -1, -1] },
];
const total = 240;

const share = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 0, max: 130 }).map((n) => `${n}%`),
);
const options: fc.Arbitrary<BudgetSpec> = fc.record(
  {
    pattern: fc.tuple(fc.nat(5), fc.nat(9)).map(([n, m]) => `${n}:${m}`),
    fanIn: fc.nat(20),
    norm: fc.constantFrom('l0', 'l1', 'l2'),
    form: fc.constantFrom('constraint', 'penalty'),
    scope: fc.constantFrom('global', 'layer'),
    prune: fc.constantFrom('weights', 'neurons'),
    cost: fc.constantFrom('count', 'flops'),
    roundTo: fc.integer({ min: 1, max: 9 }),
    layers: fc.dictionary(
      fc.constantFrom('conv', 'conv2', 'fc', 'out', 'nowhere'),
      fc.record({ floor: share, cap: share }, { requiredKeys: [] }),
      { maxKeys: 3 },
    ),
    quantize: fc.record({ codebook: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('int8', 'ternary')) }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<BudgetSpec>;
const goals: fc.Arbitrary<BudgetSpec> = fc.oneof(
  fc.record({ keep: share }),
  fc.record({ weights: fc.nat(300) }),
  fc.record({ bytes: fc.oneof(fc.nat(3000), fc.constant('1 kB')) }),
  fc.record({ flops: share }),
  fc.record({ neurons: fc.oneof(fc.nat(20), share) }),
  fc.record({ alpha: fc.double({ min: 1e-6, max: 1, noNaN: true }) }),
  fc.record({ radius: fc.double({ min: 1e-3, max: 100, noNaN: true }) }),
  fc.constant({}),
);
/** A goal with up to three of the rest: many contradict themselves, all are what the plan's schema lets through. */
const budgets = fc
  .tuple(
    goals,
    options,
    fc.subarray(
      ['pattern', 'fanIn', 'norm', 'form', 'scope', 'prune', 'roundTo', 'cost', 'layers', 'quantize'] as const,
      {
        maxLength: 3,
      },
    ),
  )
  .map(([goal, rest, chosen]): BudgetSpec => ({
    ...goal,
    ...Object.fromEntries(chosen.filter((key) => rest[key] !== undefined).map((key) => [key, rest[key]])),
  }));

it('any budget the plan can hold gives a C step that meets it, or a BudgetError that names a key', () => {
  const random = createRandom(6);
  let met = 0;
  let refused = 0;
  fc.assert(
    fc.property(budgets, (budget) => {
      expect(Budget.safeParse(budget).success).toBe(true);
      let compression;
      let kappa;
      try {
        compression = createCompression(budget, layers);
        kappa = budgetKappa(budget, layers);
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(BudgetError);
        expect((error as BudgetError).message).toMatch(/^[a-z][a-zA-Z0-9.]*: [^\n]{10,}$/);
        return;
      }
      met++;
      const size = layers.reduce((sum, layer) => sum + viewLength(layer, budget), 0);
      const v = Float32Array.from({ length: size }, () => random.normal());
      const theta = v.slice();
      compression.project(theta, 0.5, theta);
      expect(theta.every(Number.isFinite)).toBe(true);
      expect(compression.description.length).toBeGreaterThan(5);
      if (kappa !== null) {
        const counted = kernelsOf(theta, budget);
        expect(nonZeros(counted)).toBeLessThanOrEqual(kappa);
        expect(kappa).toBeLessThanOrEqual(total);
      }
      if (budget.radius !== undefined) {
        const bound = budget.scope === 'layer' ? layers.length * budget.radius : budget.radius;
        expect(compression.cost(theta)).toBeLessThanOrEqual(bound * (1 + 1e-5));
      }
    }),
    { numRuns: 3000 },
  );
  // The generator must reach both sides often enough to mean something.
  expect(met).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(500);
});

/** The kernels of a view, without the unit vectors of a neuron view. */
function kernelsOf(theta: Float32Array, budget: BudgetSpec): number[] {
  let at = 0;
  return layers.flatMap((layer) => {
    const kernel = [...theta.subarray(at, at + layer.size)];
    at += viewLength(layer, budget);
    return kernel;
  });
}
