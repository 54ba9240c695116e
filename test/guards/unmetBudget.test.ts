/** The check finds every kind of budget that the written file misses: the planted file is dense where it should be sparse. */
import { expect, test } from 'vitest';
import { checkBudgets } from '../../daemon/export/budgetChecks.js';
import type { Kind } from '../../daemon/lc/budgets/registry.js';
import { createRandom } from '../../daemon/lc/random.js';
import { buildArchitecture } from '../../daemon/model/setup/architectures.js';
import { withWeights } from '../../daemon/model/weights.js';
import type { Budget } from '../../daemon/protocol/budget.js';

/** A budget of each kind. The compiler asks for one of a new kind; null: a penalty's or a ball's size, which no count of a file shows. */
const BUDGETS: Readonly<Record<Kind, Budget | null>> = {
  keep: { keep: '1%' },
  weights: { weights: 100 },
  bytes: { bytes: '1 kB' },
  flops: { flops: '10%' },
  neurons: { neurons: 5 },
  pattern: { pattern: '2:4' },
  fanIn: { fanIn: 3 },
  alpha: null,
  radius: null,
  quantize: { quantize: { codebook: 4 } },
};

const random = createRandom(1);
const model = buildArchitecture('lenet5', 2);
const dense = withWeights(
  model,
  new Map(model.weights.map(({ name, data }) => [name, data.map(() => 0.1 + random.next())] as const)),
);

const planted = Object.entries(BUDGETS).flatMap(([kind, budget]) => (budget ? [[kind, budget] as const] : []));
test.each(planted)('%s', (_, budget) => {
  const tasks = [{ name: 'all', layers: ['conv1', 'conv2', 'fc1', 'fc2'], budget }];
  const checks = checkBudgets(dense, tasks, 1e6, () => true);
  expect(checks.length).toBeGreaterThan(0);
  expect(checks.map(({ met }) => met)).toContain(false);
});
