import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FORMATS } from '../../daemon/export/formats.js';
import { readSparsePackage } from '../../daemon/export/sparse/readSparsePackage.js';
import { thin } from '../../daemon/export/thin.js';
import type { LayersModel, WeightTensor } from '../../daemon/model/model.js';
import { readLayers } from '../fixtures/readLayers.js';
import { UserError } from '../../daemon/protocol/errors.js';
// Registers the chained operations that recurrent initializers call.
import '../unit/model/tfjs.js';
import { expectSame } from '../unit/export/expectSame.js';
import { readNpz, readSafetensors, type Arrays } from '../unit/export/plainReaders.js';
import { checkKeras, checkKerasH5 } from '../unit/keras3/checker.js';
import { predict, randomNetwork, type RandomNetwork } from '../unit/export/randomNetworks.js';

/** A network and what TensorFlow.js computes with it. */
interface Known extends RandomNetwork {
  readonly outputs: Float32Array;
}
/** Written to `path`; what is read there is held against the network. */
type Check = (path: string, network: Known, written: LayersModel, label: string) => Promise<void>;

let root: string;
beforeAll(async () => {
  // It writes some 20,000 files, each flushed to its disk: in memory, if the system has such a folder.
  root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lc-prune-formats-'));
});
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 10 }));

const readBack = async (path: string): Promise<LayersModel> =>
  path.endsWith('.lcp') ? readSparsePackage(await readFile(path), path) : readLayers(path, { workspace: root });

const byName = ({ weights }: LayersModel): Arrays => new Map(weights.map((weight) => [weight.name, weight]));

function expectTensors(read: Arrays, written: readonly WeightTensor[], label: string): void {
  expect([...read.keys()].sort(), label).toEqual(written.map(({ name }) => name).sort());
  for (const { name, shape, data } of written) {
    expect(read.get(name)!.shape, `${label}: ${name}`).toEqual(shape);
    // -0 and 0 are one weight.
    if (!data.every((value, i) => value === read.get(name)!.data[i])) expect.fail(`${label}: ${name} has other values`);
  }
}

/** Every tensor bit for bit, and, read by TensorFlow.js, the outputs of the pruned network. */
const tensorsAndOutputs: Check = async (path, { inputs, shape, outputs }, written, label) => {
  const read = await readBack(path);
  expectTensors(byName(read), written.weights, label);
  expectSame(await predict(read, inputs, shape), outputs, label);
};

/** Opened by the stand-in for Keras 3, then as above; weights before a hard_sigmoid are scaled in both directions. */
const keras =
  (opens: (path: string) => Promise<void>): Check =>
  async (path, network, written, label) => {
    await opens(path).catch((error: Error) => expect.fail(`${label}: ${error.message}`));
    // Recurrent layers have it by default.
    if (!/hard_?sigmoid/i.test(JSON.stringify(written.topology)))
      return tensorsAndOutputs(path, network, written, label);
    const read = await readBack(path);
    for (const { name, data } of written.weights) expectSame(byName(read).get(name)!.data as Float32Array, data, `${label}: ${name}`, 3e-7); // prettier-ignore
    expectSame(await predict(read, network.inputs, network.shape), network.outputs, label, 1e-5);
  };

const quantized =
  (steps: number): Check =>
  async (path, _network, written, label) => {
    const read = byName(await readBack(path));
    written.weights.forEach(({ name, data }) => {
      const range = Math.max(0, ...data) - Math.min(0, ...data);
      data.forEach((value, k) => {
        const stored = read.get(name)!.data[k]!;
        const most = (0.5001 * range) / steps;
        if (value === 0 ? stored !== 0 : Math.abs(stored - value) > most + 1e-7) expect.fail(`${label}: ${name}[${k}]: ${stored} for ${value}`); // prettier-ignore
      });
    });
  };

/** Opened by onnxruntime, whose sums are in another order. */
const onnx: Check = async (path, { inputs, shape, outputs }, _written, label) => {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const result = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', inputs, shape) });
  await session.release();
  expectSame(result[session.outputNames[0]!]!.data as Float32Array, outputs, label, 1e-4);
};

const kernels = ({ weights }: LayersModel): WeightTensor[] =>
  weights.filter(({ name }) => /kernel|embeddings/.test(name));

const CHECKS: Readonly<Record<string, Check>> = {
  'tfjs-layers': tensorsAndOutputs,
  'tfjs-layers-thinned': tensorsAndOutputs,
  'tfjs-uint16': quantized(65_535),
  'tfjs-uint8': quantized(255),
  'keras-h5': keras(checkKerasH5),
  keras: keras(checkKeras),
  'keras-thinned': keras(checkKeras),
  onnx,
  'onnx-thinned': onnx,
  safetensors: async (path, _network, { weights }, label) =>
    expectTensors(readSafetensors(await readFile(path)), weights, label),
  sparse: tensorsAndOutputs,
  'sparse-thinned': tensorsAndOutputs,
  'sparse-module': async (path, { inputs, outputs }, _written, label) => {
    const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { predict(x: Float32Array): Float32Array }; // prettier-ignore
    expectSame(module.predict(inputs), outputs, label, 1e-5);
  },
  'scipy-csr': async (path, _network, { weights }, label) => {
    const index = JSON.parse(await readFile(join(path, 'kernels.json'), 'utf8')) as Record<string, { name: string; shape: number[] }>; // prettier-ignore
    expect((await readdir(path)).sort(), label).toEqual(['dense.npz', 'kernels.json', ...Object.keys(index)].sort());
    const read = new Map(readNpz(await readFile(join(path, 'dense.npz'))));
    for (const [file, { name, shape }] of Object.entries(index)) {
      const csr = readNpz(await readFile(join(path, file)));
      const [indices, starts, values] = ['indices', 'indptr', 'data'].map((field) => csr.get(field)!.data);
      const columns = csr.get('shape')!.data[1]!;
      const data = new Float32Array(csr.get('shape')!.data[0]! * columns);
      for (let row = 0; row + 1 < starts!.length; row++)
        for (let at = starts![row]!; at < starts![row + 1]!; at++) data[row * columns + indices![at]!] = values![at]!;
      read.set(name, { shape, data });
    }
    expectTensors(read, weights, label);
  },
  'mask-npz': async (path, _network, written, label) => {
    const masks = kernels(written).map((kernel) => ({ ...kernel, data: kernel.data.map((x) => Number(x !== 0)) }));
    expectTensors(readNpz(await readFile(path)), masks, label);
  },
};

/** Features that a format may refuse, by name. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  'sparse-module': /layer ".+" \(\w+\) .*; the sparse module computes dense layers in a row$|the sparse module needs/,
};
const refusalOf = (id: string): RegExp | undefined => REFUSALS[id];

/** Each network is written in every third format, in turns: all of them take three times as long, and passed as well. */
const EVERY = 3;

const NETWORKS = 300;

it(`every format gives ${NETWORKS} random pruned networks back`, async () => {
  expect(Object.keys(CHECKS).sort()).toEqual(FORMATS.map(({ id }) => id).sort());
  const given = new Map<string, number>();
  let networks = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const random = randomNetwork(seed);
      const { model, inputs, shape } = random;
      const network = { ...random, outputs: await predict(model, inputs, shape) };
      const folder = await mkdtemp(join(root, 'network-'));
      const thinned = thin(model).model;
      const turn = networks++;
      for (const format of FORMATS.filter((_, i) => (i + turn) % EVERY === 0)) {
        const label = `${format.id} of network ${seed}`;
        const path = join(folder, `${format.id}${format.extension}`);
        const written = format.thinned ? thinned : model;
        try {
          await format.write(written, path);
        } catch (error) {
          if (!(error instanceof UserError) || error.code !== 'model-unsupported') throw error;
          expect(refusalOf(format.id)?.test(error.message), `${label}: ${error.message}`).toBe(true);
          continue;
        }
        given.set(format.id, (given.get(format.id) ?? 0) + 1);
        await CHECKS[format.id]!(path, network, written, label);
      }
      await rm(folder, { recursive: true });
    }),
    { seed: 23, numRuns: NETWORKS, endOnFailure: true },
  );
  for (const { id } of FORMATS)
    if (!refusalOf(id)) expect(given.get(id), id).toBeGreaterThanOrEqual(Math.floor(NETWORKS / EVERY));
  expect(given.get('sparse-module')).toBeGreaterThan((0.02 * NETWORKS) / EVERY);
}, 600_000);
