/** Runs as a table of them would have; the figures are made by formulas with seeded noise and are never presented as results. */
import { createRandom } from '../../../daemon/lc/random.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { runLabel } from '../../../daemon/protocol/runs/runLabel.js';
import type { TableRun } from '../../../webview/messages/runs.js';

const START = Date.UTC(2026, 0, 15, 9, 30);
const PLANS = ['lenet300', 'lenet5', 'resnet20', 'tabular'];
const BUDGETS = ['1%', '2%', '5%', '40 kB', '50% FLOPs'];
const STATES: RunSummary['state'][] = ['done', 'done', 'done', 'done', 'stopped', 'interrupted', 'failed', 'crashed'];

/** @param n how many; the first is running, the second has baselines, the third points of a path, the fourth warnings, the fifth marks. */
export function fakeRuns(n: number): TableRun[] {
  const random = createRandom(5);
  const runs = Array.from({ length: n }, (_, i): TableRun => {
    const plan = PLANS[i % PLANS.length]!;
    const budget = BUDGETS[i % BUDGETS.length]!;
    const started = START - i * 3_600_000;
    const state = i === 0 ? 'running' : i < 5 ? 'done' : STATES[i % STATES.length]!;
    const base = {
      name: `${new Date(started).toISOString().slice(0, 19).replaceAll(':', '-')}-${plan}`,
      plan,
      started,
      budget,
    };
    const referenceError = 0.0178;
    return {
      ...base,
      id: `/w/.lcprune/runs/${base.name}`,
      label: runLabel(base),
      parent: null,
      folder: '',
      model: `models/${plan}/model.json`,
      method: 'lc',
      engine: 'native-cpu',
      state,
      ended: state === 'running' ? null : started + 60_000 * (1 + 9 * random.next()),
      error: state === 'failed' ? null : referenceError + 0.01 * (random.next() - 0.3),
      referenceError,
      kept: 2662,
      prunable: 266200,
      ...(state === 'done' && { bytes: 15_000 + Math.round(30_000 * random.next()) }),
    };
  });
  const [, second, third, fourth, fifth] = runs;
  if (third) Object.assign(third, { points: [10, 5, 2, 1].map((share, point) => ({ point, budget: `${share}%`, kept: share / 100, error: 0.017 + 0.002 / share, bytes: 3000 * share, seconds: 40 })) }); // prettier-ignore
  if (fourth) Object.assign(fourth, { cautions: [{ code: 'near-chance', message: 'the error is near chance', serious: true }] }); // prettier-ignore
  if (fifth) Object.assign(fifth, { marks: { star: true, tags: ['publish', 'fast'], note: 'the one for the talk' } });
  if (second)
    for (const [i, method] of ['magnitude', 'gradual'].entries()) {
      const name = `${second.name}-${method}`;
      runs.push({ ...second, id: `/w/.lcprune/runs/${name}`, name, plan: `${second.plan}-${method}`, label: name, method, parent: second.id, started: second.started + 1000 * (i + 1), error: 0.03 + 0.01 * i }); // prettier-ignore
    }
  return runs;
}
