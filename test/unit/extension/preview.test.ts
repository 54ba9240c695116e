import { expect, test } from 'vitest';
import type { BudgetPreview } from '../../../daemon/protocol/messages.js';
import { AbsolutePath } from '../../../daemon/protocol/paths.js';
import { previewOfModel, previewOfPlan, previewOfRun } from '../../../extension/budget/preview.js';

/** Answers with what is given, and remembers the questions. */
function daemon(answer: unknown) {
  const asked: [string, unknown][] = [];
  const request = (method: string, params: unknown) => {
    asked.push([method, params]);
    return Promise.resolve(answer as never);
  };
  return { asked, request };
}

const preview = (part: Partial<BudgetPreview>): BudgetPreview => ({
  kappa: 10,
  prunable: 100,
  bytes: 80,
  flopsShare: 0.1,
  text: '10% = 10 weights',
  problem: null,
  ...part,
});
const budget = { keep: '10%' };

test('the preview of a model file has its excluded layers', async () => {
  const asks = daemon(preview({}));
  await previewOfModel(asks, AbsolutePath.parse('/w/model.json'))(budget);
  await previewOfModel(asks, AbsolutePath.parse('/w/model.json'), ['fc3'])(budget);
  expect(asks.asked).toEqual([
    ['lc/preview', { model: '/w/model.json', budget }],
    ['lc/preview', { model: '/w/model.json', budget, exclude: ['fc3'] }],
  ]);
});

test('the preview of a plan without a model file uses the plan', async () => {
  const asks = daemon([{ task: 'all', layers: ['fc1'], preview: preview({}) }]);
  expect(await previewOfPlan(asks, AbsolutePath.parse('/w/a.prune.json'))(budget)).toEqual(preview({}));
  expect(asks.asked).toEqual([['lc/previewPlan', { planPath: '/w/a.prune.json', budget }]]);
});

test('several tasks add up, and the first problem is the problem', async () => {
  const tasks = [
    { task: 'dense', layers: ['a'], preview: preview({}) },
    { task: 'conv', layers: ['b'], preview: preview({ kappa: 5, prunable: 50, bytes: null, problem: 'no' }) },
  ];
  const found = await previewOfPlan(daemon(tasks), AbsolutePath.parse('/w/a.prune.json'))(budget);
  expect(found).toMatchObject({ kappa: 15, prunable: 150, bytes: null, problem: 'no' });
  expect(found.text).toBe('dense: 10% = 10 weights; conv: 10% = 10 weights');
});

test('the preview of a run uses its name alone, for any model and any place of its plan', async () => {
  const asks = daemon(preview({}));
  expect(await previewOfRun(asks, 'r1')(budget)).toEqual(preview({}));
  expect(asks.asked).toEqual([['lc/previewRun', { run: 'r1', budget }]]);
});
