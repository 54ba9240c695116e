/** The whole trainer on the real engine, model, data and LC rooms: real MNIST, a real child process. */
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../daemon/lc/random.js';
import { readModel } from '../../daemon/model/readModel.js';
import type { RunEvent } from '../../daemon/protocol/events.js';
import type { ResolvedPlan } from '../../daemon/protocol/resolvedPlan.js';
import { baselinePlan } from '../../daemon/runs/baselinePlan.js';
import { readRunPlan } from '../../daemon/runs/registry.js';
import { resumeRun, startRun } from '../../daemon/runs/supervisor.js';
import { bundleTrainer, type Bundle } from './trainer/bundle.js';

let bundle: Bundle;
let workspace: string;
beforeAll(async () => {
  bundle = await bundleTrainer('daemon/trainer/main.ts');
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'trainer-')));
});
afterEach(() => rm(workspace, { recursive: true }));
const options = () => ({ workspace, trainer: bundle.path });

const settings = {
  batchSize: 128,
  learningRate: 0.1,
  decay: 0.98,
  decayMode: 'iteration',
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
} as const;

const PLAN: ResolvedPlan = {
  name: 'small',
  planPath: null,
  model: { architecture: 'lenet300' },
  data: {
    source: 'mnist',
    format: null,
    inputs: null,
    labels: null,
    test: null,
    validation: 0.1,
    limit: 4000,
    scale: 'unit',
    mean: 'none',
    augment: { flip: false, shift: 0 },
  },
  tasks: [{ name: 'all', layers: ['fc1', 'fc2', 'fc3'], budget: { keep: '2%' } }],
  method: 'lc',
  schedule: {
    mu0: 1e-3,
    a: 1.6,
    iterations: 8,
    multipliers: 'AL',
    epochs: 2,
    firstEpochs: 2,
    tolerance: 0,
    stableIterations: 2,
  },
  training: settings,
  retrain: { ...settings, decayMode: 'epoch', decay: 0.9, learningRate: 0.05, epochs: 4 },
  reference: { ...settings, decayMode: 'epoch', epochs: 6 },
  output: null,
  engine: 'onnx-cpu',
  seed: 3,
  modelHash: null,
  dataHash: null,
};
const N = 784 * 300 + 300 * 100 + 100 * 10;
const KAPPA = Math.ceil(0.02 * N);

const result = async (folder: string) => {
  const names = (await readdir(join(folder, 'result'))).filter(
    (name) => /\.(bin|json)$/.test(name) && name !== 'result.json',
  );
  return Promise.all(names.sort().map((name) => readFile(join(folder, 'result', name), 'base64')));
};

async function finished(plan: ResolvedPlan): Promise<{ folder: string; done: Extract<RunEvent, { event: 'done' }> }> {
  const handle = await startRun(plan, options());
  const done = await handle.done;
  if (done.event !== 'done') throw new Error(JSON.stringify(done));
  return { folder: handle.folder, done };
}

describe('LeNet300 on a part of MNIST', () => {
  it('is pruned to its budget, beats direct compression, and its files say the same', async () => {
    const { folder, done } = await finished(PLAN);
    expect(done.kept).toBe(KAPPA);
    expect(done.reference.error!).toBeLessThan(0.12);
    expect(done.retrained.error!).toBeLessThan(done.reference.error! + 0.05);
    const model = await readModel(join(folder, 'result', 'model.json'), { workspace });
    const kernels = model.weights.filter(({ name }) => name.endsWith('kernel'));
    const nonZeros = kernels.reduce((sum, { data }) => sum + data.filter((x) => x !== 0).length, 0);
    expect(nonZeros).toBe(KAPPA);
    expect(done.perLayer.map(({ kept }) => kept)).toEqual(
      kernels.map(({ data }) => data.filter((x) => x !== 0).length),
    );
    // The written model, evaluated as a reference of its own, has the error that was reported.
    const again = await finished({
      ...PLAN,
      method: 'reference',
      model: { path: relative(workspace, join(folder, 'result', 'model.json')) },
      reference: { ...PLAN.reference, epochs: 0 },
    });
    expect(again.done.reference.error).toBe(done.retrained.error);
    expect(again.done.reference.loss!).toBeCloseTo(done.retrained.loss!, 5);
    // A baseline begins at the very reference LC began at, and meets the same budget.
    const magnitude = await finished(await baselinePlan(folder, 'magnitude', { workspace }));
    expect(magnitude.done.reference).toEqual(done.reference);
    expect(magnitude.done.kept).toBe(KAPPA);
    expect(await readRunPlan(magnitude.folder)).toMatchObject({ engine: 'onnx-cpu', method: 'magnitude' });
  });

  it('killed at random moments and resumed ends with the same bytes', async () => {
    const plan = { ...PLAN, schedule: { ...PLAN.schedule, iterations: 4, epochs: 4 } };
    const expected = await result((await finished(plan)).folder);
    const random = createRandom(Number(process.env['KILL_SEED'] ?? 5));
    let handle = await startRun(plan, options());
    let kills = 0;
    for (;;) {
      const { pid } = handle;
      let over = false;
      void handle.done.then(() => (over = true));
      if (kills < 4) {
        await wait(200 + random.below(900));
        // Inside a step as well as right after a checkpoint that was asked for.
        if (kills % 2 === 1) await handle.checkpoint().catch(() => undefined);
        if (!over) process.kill(pid, 'SIGKILL');
      }
      const last = await handle.done;
      if (last.event === 'done') break;
      kills += 1;
      handle = await resumeRun(handle.folder, options());
    }
    expect(kills).toBeGreaterThan(1);
    expect(await result(handle.folder)).toEqual(expected);
  });

  it('chooses the input scale that the reference was trained with, and remembers it', async () => {
    const trained = await finished({ ...PLAN, method: 'reference', data: { ...PLAN.data, scale: 'symmetric' } });
    const path = relative(workspace, join(trained.folder, 'result', 'model.json'));
    const plan: ResolvedPlan = {
      ...PLAN,
      method: 'reference',
      model: { path },
      data: { ...PLAN.data, scale: 'auto' },
      reference: { ...PLAN.reference, epochs: 0 },
    };
    const { folder, done } = await finished(plan);
    expect((await readRunPlan(folder)).data.scale).toBe('symmetric');
    expect(done.reference.error).toBe(trained.done.reference.error);
  });

  it('refuses to resume when the model has changed', async () => {
    const trained = await finished({ ...PLAN, method: 'reference', reference: { ...PLAN.reference, epochs: 1 } });
    const path = join(trained.folder, 'result', 'model.json');
    const handle = await startRun(
      { ...PLAN, model: { path: relative(workspace, path) }, reference: { ...PLAN.reference, epochs: 0 } },
      options(),
    );
    await handle.stop('user');
    const bin = (await readdir(join(trained.folder, 'result'))).find((name) => name.endsWith('.bin'))!;
    const weights = await readFile(join(trained.folder, 'result', bin));
    weights[3]! ^= 1;
    await writeFile(join(trained.folder, 'result', bin), weights);
    await expect(resumeRun(handle.folder, options())).rejects.toMatchObject({
      code: 'run-invalid',
      message: expect.stringContaining('model has changed'),
    });
  });

  it('tells of bad input before it leaves anything on disk', async () => {
    const bad: [Partial<ResolvedPlan>, string][] = [
      [{ model: { path: 'absent.json' } }, 'model-missing'],
      [{ training: { ...settings, batchSize: 5000 } }, 'data-invalid'],
      [{ engine: 'abacus' }, 'engine-unavailable'],
      [{ tasks: [{ name: 'all', layers: ['fc1'], budget: { weights: N } }] }, 'budget-impossible'],
      [{ model: { path: '../../etc/passwd' } }, 'path-outside-workspace'],
    ];
    for (const [change, code] of bad) {
      await expect(startRun({ ...PLAN, ...change }, options()), code).rejects.toMatchObject({
        name: 'UserError',
        code,
      });
    }
    expect(await readdir(workspace)).toEqual([]);
  });
});
