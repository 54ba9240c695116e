/**
 * A residual network on pictures of stripes, and a real trainer process. What is in the files is counted here, from the bytes of
 * the TensorFlow.js format, not by the product's readers.
 */
import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Budget } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { baselinePlan } from '../../../daemon/runs/baselinePlan.js';
import { startRun } from '../../../daemon/runs/supervisor.js';
import { bundleTrainer, type Bundle } from '../trainer/bundle.js';

/** Kernels in the model's order, with the multiply-adds of each weight for one sample. */
export const KERNELS = {
  conv1: { shape: [3, 3, 1, 6], uses: 64 },
  conv2: { shape: [3, 3, 6, 6], uses: 64 },
  fc1: { shape: [96, 16], uses: 1 },
  out: { shape: [16, 4], uses: 1 },
} as const;
export type Layer = keyof typeof KERNELS;
export const LAYERS = Object.keys(KERNELS) as Layer[];
export const sizeOf = (layer: Layer): number => KERNELS[layer].shape.reduce<number>((a, b) => a * b, 1);
export const N = LAYERS.reduce((total, layer) => total + sizeOf(layer), 0);
export const DENSE_FLOPS = LAYERS.reduce((total, layer) => total + 2 * sizeOf(layer) * KERNELS[layer].uses, 0);

/** A residual network on pictures of stripes, untrained. */
async function writeModel(workspace: string): Promise<void> {
  const random = createRandom(11);
  const layer = (class_name: string, name: string, config: object, ...inputs: string[]) => ({
    class_name,
    name,
    config: { name, trainable: true, dtype: 'float32', ...config },
    inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
  });
  const conv = { filters: 6, kernel_size: [3, 3], padding: 'same', strides: [1, 1], data_format: 'channels_last' };
  const norm = { axis: 3, momentum: 0.9, epsilon: 1e-3, center: true, scale: true };
  const specs: { name: string; shape: number[]; dtype: 'float32' }[] = [];
  const values: number[] = [];
  const add = (name: string, shape: readonly number[], value?: number) => {
    specs.push({ name, shape: [...shape], dtype: 'float32' });
    const size = shape.reduce((a, b) => a * b, 1);
    const scale = Math.sqrt(2 / (size / shape.at(-1)!));
    for (let i = 0; i < size; i++) values.push(value ?? scale * random.normal());
  };
  const addNorm = (name: string) =>
    (['gamma', 'beta', 'moving_mean', 'moving_variance'] as const).forEach((part, i) =>
      add(`${name}/${part}`, [6], [1, 0, 0, 1][i]),
    );
  add('conv1/kernel', KERNELS.conv1.shape);
  addNorm('bn1');
  add('conv2/kernel', KERNELS.conv2.shape);
  add('conv2/bias', [6], 0);
  addNorm('bn2');
  add('fc1/kernel', KERNELS.fc1.shape);
  add('fc1/bias', [16], 0);
  add('out/kernel', KERNELS.out.shape);
  add('out/bias', [4], 0);
  const json = {
    format: 'layers-model',
    generatedBy: 'test',
    convertedBy: null,
    modelTopology: {
      class_name: 'Functional',
      config: {
        name: 'stripes',
        layers: [
          layer('InputLayer', 'image', { batch_input_shape: [null, 8, 8, 1] }),
          layer('Conv2D', 'conv1', { ...conv, activation: 'linear', use_bias: false }, 'image'),
          layer('BatchNormalization', 'bn1', norm, 'conv1'),
          layer('Activation', 'relu1', { activation: 'relu' }, 'bn1'),
          layer('Conv2D', 'conv2', { ...conv, activation: 'linear', use_bias: true }, 'relu1'),
          layer('BatchNormalization', 'bn2', norm, 'conv2'),
          layer('Add', 'add', {}, 'relu1', 'bn2'),
          layer('Activation', 'relu2', { activation: 'relu' }, 'add'),
          layer('MaxPooling2D', 'pool', { pool_size: [2, 2], strides: [2, 2], padding: 'valid', data_format: 'channels_last' }, 'relu2'), // prettier-ignore
          layer('Flatten', 'flatten', {}, 'pool'),
          layer('Dense', 'fc1', { units: 16, activation: 'relu', use_bias: true }, 'flatten'),
          layer('Dense', 'out', { units: 4, activation: 'softmax', use_bias: true }, 'fc1'),
        ],
        input_layers: [['image', 0, 0]],
        output_layers: [['out', 0, 0]],
      },
    },
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
  };
  await writeFile(join(workspace, 'net.json'), JSON.stringify(json));
  await writeFile(join(workspace, 'weights.bin'), Buffer.from(Float32Array.from(values).buffer));
}

/** NumPy's .npy, version 1.0. */
function npy(descr: string, shape: number[], data: Float32Array | Int32Array): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117) + '\n';
  const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  return Buffer.concat([prefix, Buffer.from(header), Buffer.from(data.buffer)]);
}

/** Noise with a bright stripe at the place of the class. */
async function writeData(workspace: string): Promise<void> {
  const random = createRandom(5);
  const samples = 320;
  const labels = Int32Array.from({ length: samples }, (_, n) => n % 4);
  const images = Float32Array.from(
    { length: samples * 64 },
    (_, i) => 0.3 * random.normal() + Number(Math.floor((i % 64) / 16) === Math.floor(i / 64) % 4),
  );
  await writeFile(join(workspace, 'x.npy'), npy('<f4', [samples, 8, 8, 1], images));
  await writeFile(join(workspace, 'y.npy'), npy('<i4', [samples], labels));
}

const settings = {
  batchSize: 32,
  learningRate: 0.05,
  decay: 0.98,
  decayMode: 'iteration',
  learningRateSchedule: 'exponential',
  warmup: 0,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
} as const;

export const planOf = (...tasks: [string, Layer[], Budget][]): ResolvedPlan => ({
  name: 'stripes',
  planPath: null,
  model: { path: WorkspacePath.parse('net.json') },
  data: {
    source: 'x.npy',
    format: null,
    inputs: null,
    labels: ['y.npy'],
    test: null,
    validation: 0.2,
    limit: null,
    scale: 'none',
    mean: 'none',
    augment: { flip: false, shift: 0 },
    classes: 'auto',
    classWeights: null,
  },
  tasks: tasks.map(([name, layers, budget]) => ({ name, layers, budget })),
  method: 'lc',
  schedule: {
    mu0: 1e-2,
    a: 2.5,
    iterations: 5,
    multipliers: 'AL',
    epochs: 2,
    firstEpochs: 2,
    tolerance: 0,
    stableIterations: 2,
  },
  training: settings,
  retrain: { ...settings, decayMode: 'epoch', epochs: 3 },
  reference: { ...settings, decayMode: 'epoch', epochs: 4 },
  output: null,
  unfreeze: [],
  engine: 'onnx-cpu',
  seed: 1,
  modelHash: null,
  dataHash: null,
});

type Done = Extract<RunEvent, { event: 'done' }>;
export interface Finished {
  readonly folder: string;
  readonly done: Done;
  /** Weights of the written model by name. */
  readonly weights: Map<string, number[]>;
  readonly packageBytes: number;
  readonly report: string;
}

/** A folder with the model and its data, and the trainer that runs plans in it. */
export class Stripes {
  private constructor(
    readonly workspace: string,
    private readonly bundle: Bundle,
  ) {}

  static async open(): Promise<Stripes> {
    const bundle = await bundleTrainer('daemon/trainer/process/main.ts');
    const workspace = await realpath(await mkdtemp(join(tmpdir(), 'budgets-')));
    await writeModel(workspace);
    await writeData(workspace);
    return new Stripes(workspace, bundle);
  }

  async close(): Promise<void> {
    await rm(this.workspace, { recursive: true });
    await this.bundle.remove();
  }

  /** Runs the plan to its end; nothing but what five iterations bring may be warned of. */
  finished(plan: ResolvedPlan): Promise<Finished> {
    return finished(plan, this.workspace, this.bundle.path);
  }

  /** The baseline of a finished run. */
  async magnitudeOf({ folder }: Finished): Promise<Finished> {
    return this.finished(await baselinePlan(folder, 'magnitude', { workspace: this.workspace }));
  }
}

async function finished(plan: ResolvedPlan, workspace: string, trainer: string): Promise<Finished> {
  const handle = await startRun(plan, { workspace, trainer });
  const warnings: string[] = [];
  // Five iterations: w and theta need not have met, and a finding reports that.
  const expected = ['note', 'not-converged', 'support-changing'];
  handle.onEvent(
    (event) => event.event === 'warning' && !expected.includes(event.code) && warnings.push(event.message),
  );
  const done = await handle.done;
  if (done.event !== 'done') throw new Error(JSON.stringify(done));
  expect(warnings).toEqual([]);
  const result = join(handle.folder, 'result');
  const json = JSON.parse(await readFile(join(result, 'model.json'), 'utf8')) as {
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[];
  };
  const weights = new Map<string, number[]>();
  for (const group of json.weightsManifest) {
    const bytes = Buffer.concat(await Promise.all(group.paths.map((path) => readFile(join(result, path)))));
    let offset = 0;
    for (const { name, shape } of group.weights) {
      const size = shape.reduce((a, b) => a * b, 1);
      weights.set(
        name,
        Array.from({ length: size }, (_, i) => bytes.readFloatLE(offset + 4 * i)),
      );
      offset += 4 * size;
    }
    expect(bytes.length).toBe(offset);
  }
  expect(JSON.parse(await readFile(join(result, 'result.json'), 'utf8'))).toMatchObject({ budget: done.budget });
  return {
    folder: handle.folder,
    done,
    weights,
    packageBytes: (await stat(join(result, 'model.lcp'))).size,
    report: await readFile(join(result, 'report.md'), 'utf8'),
  };
}

export const all = (budget: Budget): ResolvedPlan => planOf(['all', LAYERS, budget]);
export const kernel = ({ weights }: Finished, layer: Layer): number[] => weights.get(`${layer}/kernel`)!;
export const nonZeros = (values: readonly number[]): number => values.filter((x) => x !== 0).length;
export const keptIn = (run: Finished, layers: readonly Layer[] = LAYERS): number =>
  layers.reduce((total, layer) => total + nonZeros(kernel(run, layer)), 0);
export const flopsOf = (run: Finished): number =>
  LAYERS.reduce((total, layer) => total + 2 * KERNELS[layer].uses * nonZeros(kernel(run, layer)), 0);
/** Units with any incoming weight. */
export function unitsOf(run: Finished, layer: Layer): number[] {
  const units = KERNELS[layer].shape.at(-1)!;
  return Array.from({ length: units }, (_, unit) => unit).filter((unit) =>
    kernel(run, layer).some((x, i) => x !== 0 && i % units === unit),
  );
}
/** Non-zeros of the fullest block of m consecutive inputs of a unit. */
export function fullest(run: Finished, layer: Layer, m: number): number {
  const units = KERNELS[layer].shape.at(-1)!;
  const counts = new Map<string, number>();
  kernel(run, layer).forEach((x, i) => {
    const block = `${i % units} ${Math.floor(Math.floor(i / units) / m)}`;
    counts.set(block, (counts.get(block) ?? 0) + Number(x !== 0));
  });
  return Math.max(...counts.values());
}
