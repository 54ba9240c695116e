/** The whole trainer on the real engine, model, data and LC rooms: real MNIST, a real child process. */
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../daemon/lc/random.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { readModel } from '../../daemon/model/files/readModel.js';
import { workspacePath } from '../../daemon/files/workspacePath.js';
import { writeTfjsModel } from '../../daemon/model/files/writeTfjs.js';
import type { RunEvent } from '../../daemon/protocol/events.js';
import { WorkspacePath } from '../../daemon/protocol/paths.js';
import type { ResolvedPlan } from '../../daemon/protocol/resolvedPlan.js';
import { baselinePlan } from '../../daemon/runs/baselinePlan.js';
import { readEvents, readRunPlan } from '../../daemon/runs/list/registry.js';
import { resumeRun, startRun } from '../../daemon/runs/supervisor.js';
import { bundleTrainer, type Bundle } from './trainer/bundle.js';
import { CPU_ENGINES, KAPPA, N, npy, PLAN, result, settings } from './trainer/lenetPlan.js';

let bundle: Bundle;
let workspace: string;
beforeAll(async () => {
  bundle = await bundleTrainer('daemon/trainer/process/main.ts');
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'trainer-')));
});
afterEach(() => rm(workspace, { recursive: true }));
const options = () => ({ workspace, trainer: bundle.path });

async function finished(plan: ResolvedPlan): Promise<{ folder: string; done: Extract<RunEvent, { event: 'done' }> }> {
  const handle = await startRun(plan, options());
  const done = await handle.done;
  if (done.event !== 'done') throw new Error(JSON.stringify(done));
  return { folder: handle.folder, done };
}

// Each test is several runs, each a process that loads an engine.
describe('LeNet300 on a part of MNIST', { timeout: 240_000 }, () => {
  it('is pruned to its budget, beats direct compression, and its files have the same figures', async () => {
    const { folder, done } = await finished(PLAN);
    expect(done.kept).toBe(KAPPA);
    expect(done.reference.error!).toBeLessThan(0.12);
    expect(done.retrained.error!).toBeLessThan(done.reference.error! + 0.05);
    const { events } = await readEvents(folder, 0, 100_000);
    const direct = events.find(
      (event) => event.event === 'evaluation' && event.at === 'direct' && event.set === 'test',
    );
    expect(done.theta.error!).toBeLessThan((direct as { error: number }).error);
    const model = await readModel(join(folder, 'result', 'model.json'), { workspace });
    const kernels = model.weights.filter(({ name }) => name.endsWith('kernel'));
    const nonZeros = kernels.reduce((sum, { data }) => sum + data.filter((x) => x !== 0).length, 0);
    expect(nonZeros).toBe(KAPPA);
    expect(done.perLayer.map(({ kept }) => kept)).toEqual(
      kernels.map(({ data }) => data.filter((x) => x !== 0).length),
    );
    // The written model, evaluated as another run's reference, has the reported error.
    const again = await finished({
      ...PLAN,
      method: 'reference',
      model: { path: workspacePath(workspace, join(folder, 'result', 'model.json')) },
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

  it.each(CPU_ENGINES)('killed at random moments and resumed ends with the same bytes, on %s', async (engine) => {
    const plan = { ...PLAN, engine, schedule: { ...PLAN.schedule, iterations: 4, epochs: 4 } };
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
        // Inside a step, and right after a requested checkpoint.
        if (kills % 2 === 1) await handle.checkpoint().catch(() => undefined);
        try {
          if (!over) process.kill(pid, 'SIGKILL');
        } catch (error) {
          // It has ended, and its last event is on the way.
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
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
    const path = workspacePath(workspace, join(trained.folder, 'result', 'model.json'));
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
      { ...PLAN, model: { path: workspacePath(workspace, path) }, reference: { ...PLAN.reference, epochs: 0 } },
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

  it('carries moving averages, frozen layers and excluded layers through a run, in every engine', async () => {
    const random = createRandom(1, 3);
    const weight = (name: string, shape: number[], value?: number) => {
      const data = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => value ?? 0.1 * random.normal(),
      );
      return { name, shape, dtype: 'float32' as const, data };
    };
    const layer = (class_name: string, name: string, config: object) => ({
      class_name,
      config: { name, trainable: true, ...config },
    });
    const conv = {
      kernel_size: [5, 5],
      strides: [2, 2],
      padding: 'valid',
      data_format: 'channels_last',
      use_bias: true,
    };
    const model: LayersModel = {
      kind: 'layers',
      format: 'tfjs-layers',
      path: join(workspace, 'net.json'),
      topology: {
        class_name: 'Sequential',
        config: {
          name: 'net',
          layers: [
            layer('Conv2D', 'frozen', {
              ...conv,
              filters: 6,
              activation: 'relu',
              trainable: false,
              batch_input_shape: [null, 28, 28, 1],
              dtype: 'float32',
            }),
            layer('BatchNormalization', 'norm1', { axis: 3, momentum: 0.9, epsilon: 1e-3, center: true, scale: true }),
            layer('Conv2D', 'conv', { ...conv, filters: 8, activation: 'linear' }),
            layer('BatchNormalization', 'norm2', { axis: 3, momentum: 0.9, epsilon: 1e-3, center: true, scale: true }),
            layer('Activation', 'relu', { activation: 'relu' }),
            layer('Dropout', 'drop', { rate: 0.2 }),
            layer('Flatten', 'flatten', {}),
            layer('Dense', 'out', { units: 10, activation: 'softmax', use_bias: true }),
          ],
        },
      },
      weights: [
        weight('frozen/kernel', [5, 5, 1, 6]),
        weight('frozen/bias', [6]),
        ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name, i) =>
          weight(`norm1/${name}`, [6], [1, 0, 0.5, 2][i]),
        ),
        weight('conv/kernel', [5, 5, 6, 8]),
        weight('conv/bias', [8]),
        ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name, i) =>
          weight(`norm2/${name}`, [8], [1, 0, 0.25, 3][i]),
        ),
        weight('out/kernel', [128, 10]),
        weight('out/bias', [10]),
      ],
      notes: [],
    };
    await writeTfjsModel(model, model.path);
    // Noise with a bright stripe at the place of the class.
    const labels = Int32Array.from({ length: 320 }, (_, n) => n % 10);
    const images = Float32Array.from(
      { length: 320 * 784 },
      (_, i) => random.next() * 0.3 + Number(Math.floor((i % 784) / 78) === Math.floor(i / 784) % 10),
    );
    await writeFile(join(workspace, 'x.npy'), npy('<f4', [320, 28, 28, 1], images));
    await writeFile(join(workspace, 'y.npy'), npy('<i4', [320], labels));
    const data = {
      ...PLAN.data,
      source: 'x.npy',
      labels: ['y.npy'],
      limit: null,
      validation: 0,
      scale: 'none' as const,
    };
    const tasks = [{ name: 'conv', layers: ['conv'], budget: { weights: 100 } }];
    for (const engine of [...CPU_ENGINES, 'tfjs-cpu']) {
      const { folder, done } = await finished({
        ...PLAN,
        engine,
        model: { path: WorkspacePath.parse('net.json') },
        data,
        tasks,
        training: { ...settings, batchSize: 64 },
        retrain: { ...PLAN.retrain, batchSize: 64, epochs: 1 },
        reference: { ...PLAN.reference, batchSize: 64, epochs: 2 },
        schedule: { ...PLAN.schedule, iterations: 2, epochs: 1, firstEpochs: 1 },
      });
      expect(done.perLayer).toEqual([{ layer: 'conv', weights: 1200, kept: 100 }]);
      const read = await readModel(join(folder, 'result', 'model.json'), { workspace });
      const values = (name: string) => read.weights.find((one) => one.name === name)!.data;
      const before = (name: string) => model.weights.find((one) => one.name === name)!.data;
      for (const name of ['frozen/kernel', 'frozen/bias']) expect(values(name), name).toEqual(before(name));
      for (const name of [
        'norm1/moving_mean',
        'norm1/moving_variance',
        'norm2/moving_mean',
        'norm2/moving_variance',
        'norm1/gamma',
        'out/bias',
      ]) {
        expect(values(name), name).not.toEqual(before(name));
      }
      expect(values('norm2/moving_variance').every((x) => x > 0)).toBe(true);
      expect(values('out/kernel').filter((x) => x === 0)).toHaveLength(0);
      expect(values('conv/kernel').filter((x) => x !== 0)).toHaveLength(100);
      const again = await finished({
        ...PLAN,
        engine,
        tasks,
        method: 'reference',
        model: { path: workspacePath(workspace, join(folder, 'result', 'model.json')) },
        data,
        reference: { ...PLAN.reference, epochs: 0 },
      });
      expect(again.done.reference.error).toBe(done.retrained.error);
    }
  });

  it('survives a learning rate that is far too high, and reports what it did', async () => {
    const handle = await startRun(
      {
        ...PLAN,
        training: { ...settings, learningRate: 100, decay: 1 },
        schedule: { ...PLAN.schedule, iterations: 2 },
      },
      options(),
    );
    const warnings: string[] = [];
    handle.onEvent((event) => event.event === 'warning' && event.code === 'diverged' && warnings.push(event.message));
    const last = await handle.done;
    expect(warnings[0]).toMatch(/L step 1; .* half the learning rate \(50\.0\)/);
    if (last.event === 'done') expect(last.kept).toBe(KAPPA);
    else
      expect(last).toMatchObject({
        event: 'failed',
        code: 'diverged',
        message: expect.stringContaining('learningRate'),
      });
  });

  it('reports bad input before it leaves anything on disk', async () => {
    const bad: [Partial<ResolvedPlan>, string][] = [
      [{ model: { path: WorkspacePath.parse('absent.json') } }, 'model-missing'],
      [{ training: { ...settings, batchSize: 5000 } }, 'data-invalid'],
      [{ engine: 'abacus' }, 'engine-unavailable'],
      [{ tasks: [{ name: 'all', layers: ['fc1'], budget: { weights: N } }] }, 'budget-impossible'],
      [{ model: { path: WorkspacePath.parse('../../etc/passwd') } }, 'path-outside-workspace'],
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
