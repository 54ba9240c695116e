/** A plan of LeNet300 on a part of MNIST, and what its files hold. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAddon } from '../../../daemon/engine/native/addon.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';

export const settings = {
  batchSize: 128,
  learningRate: 0.1,
  decay: 0.98,
  decayMode: 'iteration',
  learningRateSchedule: 'exponential',
  warmup: 0,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
} as const;

export const PLAN: ResolvedPlan = {
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
    limit: 2000,
    scale: 'unit',
    mean: 'none',
    augment: { flip: false, shift: 0 },
    classes: 'auto',
    classWeights: null,
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
  unfreeze: [],
  engine: 'onnx-cpu',
  seed: 3,
  modelHash: null,
  dataHash: null,
};
export const N = 784 * 300 + 300 * 100 + 100 * 10;
export const KAPPA = Math.ceil(0.02 * N);

/** NumPy's .npy, version 1.0. */
export function npy(descr: '<f4' | '<i4', shape: number[], data: Float32Array | Int32Array): Buffer {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = dict.padEnd(117) + '\n';
  const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  return Buffer.concat([prefix, Buffer.from(header), Buffer.from(data.buffer)]);
}

/** The files of a result but for those that hold times. */
export const result = async (folder: string) => {
  const names = (await readdir(join(folder, 'result'))).filter(
    (name) => /\.(bin|json)$/.test(name) && !['result.json', 'exports.json'].includes(name),
  );
  return Promise.all(names.sort().map((name) => readFile(join(folder, 'result', name), 'base64')));
};

/** The engines that `auto` may take on a plain CPU. */
export const CPU_ENGINES = 'addon' in loadAddon() ? ['onnx-cpu', 'native-cpu'] : ['onnx-cpu'];
