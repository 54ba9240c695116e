/** A wrong engine in a real run, in a separate process: `auto` passes it over, and a plan that names it gets one warning. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { readEvents, readRunPlan } from '../../../daemon/runs/list/registry.js';
import { resumeRun, startRun } from '../../../daemon/runs/supervisor.js';
import { bundleTrainer, type Bundle } from './bundle.js';
import { PLAN } from './lenetPlan.js';

let bundle: Bundle;
let workspace: string;
beforeAll(async () => {
  bundle = await bundleTrainer('test/integration/trainer/wrongEngineTrainer.ts');
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'wrong-engine-')));
});
afterEach(async () => {
  delete process.env['LC_TEST_DEVICE'];
  await rm(workspace, { recursive: true });
});
const options = () => ({ workspace, trainer: bundle.path });

const settings = {
  batchSize: 20,
  learningRate: 0.05,
  decay: 1,
  decayMode: 'epoch',
  learningRateSchedule: 'exponential',
  warmup: 0,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
} as const;
const plan = (engine: string, epochs = 1): ResolvedPlan => ({
  ...PLAN,
  name: 'wrong',
  data: { ...PLAN.data, validation: 0, limit: 100 },
  tasks: [{ ...PLAN.tasks[0]!, budget: { keep: '5%' } }],
  method: 'reference',
  schedule: { ...PLAN.schedule, iterations: 2, epochs: 1, firstEpochs: 1 },
  training: settings,
  retrain: { ...settings, epochs: 1 },
  reference: { ...settings, epochs },
  engine,
});

async function warnings(folder: string): Promise<string[]> {
  const { events } = await readEvents(folder, 0, 100_000);
  return events.flatMap((event) => (event.event === 'warning' ? event.message : []));
}
const ofTheEngine = async (folder: string) => (await warnings(folder)).filter((message) => /fc1\/bias/.test(message));

it('auto passes it over because of its numbers on the first batch, and the run gives the reason', async () => {
  const handle = await startRun(plan('auto'), options());
  expect((await handle.done).event).toBe('done');
  expect((await readRunPlan(handle.folder)).engine).toBe('onnx-cpu');
  expect(await ofTheEngine(handle.folder)).toEqual([
    'wrong was passed over: it differs from onnx-cpu on the first batch of the data: the gradient of "fc1/bias" by 50%.',
  ]);
}, 60_000);

it('named by the plan it is used, with one warning; a resume warns again on another device only', async () => {
  let handle = await startRun(plan('wrong', 2000), options());
  const warning = expect.stringMatching(/^WARNING: the engine wrong .*on the first batch of the data: the gradient of "fc1\/bias" by 50%\. The plan names it, so it is used/) as string; // prettier-ignore
  await handle.stop('user');
  expect((await readRunPlan(handle.folder)).engine).toBe('wrong');
  expect(await ofTheEngine(handle.folder)).toEqual([warning]);
  for (const [device, count] of [
    ['a processor', 1],
    ['another processor', 2],
    ['another processor', 2],
    ['a processor', 2],
  ] as const) {
    process.env['LC_TEST_DEVICE'] = device;
    handle = await resumeRun(handle.folder, options());
    await handle.checkpoint();
    await handle.stop('user');
    expect(await ofTheEngine(handle.folder), device).toEqual(Array<string>(count).fill(warning));
  }
}, 60_000);

it('if nothing is wrong, there is no note', async () => {
  const handle = await startRun(plan('onnx-cpu'), options());
  expect((await handle.done).event).toBe('done');
  expect((await warnings(handle.folder)).filter((message) => /engine|passed over|compared/.test(message))).toEqual([]);
}, 60_000);
