import * as ort from 'onnxruntime-node';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../../daemon/export/formats.js';
import { thin } from '../../../daemon/export/thin.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { cases, chain, noisy, untrainableInTensorFlow, wrongInTensorFlow } from '../engine/compiled/layerCases.js';
import { checkKeras, checkKerasH5 } from '../keras3/checker.js';
import { loadPlain, scratch, tf } from '../model/tfjs.js';
import { builtModel } from './builtModel.js';
import { expectSame } from './expectSame.js';
import { computed } from './computed.js';
import { kerasNetworks } from './kerasNetworks.js';
import { oldNetworks } from './oldNetworks.js';
import { keepShare } from './prunedModels.js';
import { networkOf, predict } from './randomNetworks.js';

interface Known {
  readonly model: LayersModel;
  /** Five samples, flat. */
  readonly inputs: Float32Array;
  /** Shape of one sample. */
  readonly sample: readonly number[];
  readonly outputs: Float32Array;
  /** Computes a model that was read back; by default TensorFlow.js itself. */
  readonly compute?: typeof predict;
}

const BATCHES = [1, 3, 5] as const;
const write = (id: string, model: LayersModel, path: string): Promise<void> => FORMATS.find((format) => format.id === id)!.write(model, path); // prettier-ignore
const inputsOf = (sample: readonly number[], tokens?: number): Float32Array => {
  const random = createRandom(5);
  const size = 5 * sample.reduce((n, dim) => n * dim, 1);
  return Float32Array.from({ length: size }, () => (tokens === undefined ? random.normal() : random.below(tokens)));
};

/** TensorFlow.js loads the file as its users do. */
async function opensInTensorFlow(path: string, { inputs, sample, outputs }: Known): Promise<void> {
  // What an engine taught this instance of TensorFlow.js.
  expect(await readFile(path, 'utf8')).not.toMatch(
    /"class_name": "(Normalization|Operation)"|"reset_after": true|"causal"/,
  );
  const layers = await loadPlain(path);
  try {
    const result = tf.tidy(() => (layers.predict(tf.tensor(inputs, [5, ...sample])) as tf.Tensor).dataSync());
    expectSame(Float32Array.from(result), outputs, 'tfjs', 1e-5);
  } finally {
    layers.dispose();
  }
}

/** onnxruntime computes several batch sizes with the model's own names. */
async function opensInOnnxruntime(path: string, { model, inputs, sample, outputs }: Known): Promise<void> {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  try {
    const graph = modelGraph(model.topology);
    if (model.topology.class_name !== 'Sequential') expect(session.inputNames).toEqual(graph.inputNames);
    expect([...session.inputNames, ...session.outputNames].some((name) => /^(in|out)\d+$/.test(name))).toBe(false);
    for (const batch of BATCHES) {
      const given = new ort.Tensor('float32', inputs.slice(0, (batch * inputs.length) / 5), [batch, ...sample]);
      const result = (await session.run({ [session.inputNames[0]!]: given }))[session.outputNames[0]!]!;
      expect(result.dims[0]).toBe(batch);
      expectSame(result.data as Float32Array, outputs.slice(0, (batch * outputs.length) / 5), `batch ${batch}`, 1e-4);
    }
  } finally {
    await session.release();
  }
}

/** Every format that opens must give the model's outputs: by its own reader, or by a stand-in. */
async function opensElsewhere(known: Known, folder: string, refused: Readonly<Record<string, RegExp>> = {}): Promise<void> {
  const { model, inputs, sample, outputs, compute = predict } = known;
  const thinned: Known = { ...known, model: thin(model).model };
  const openKeras = (check: (path: string) => Promise<void>) => async (path: string) => {
    await check(path);
    expectSame(await compute(await readLayers(path, { workspace: folder }), inputs, [5, ...sample]), outputs, 'read back', 2e-5);
  };
  const readers: readonly [id: string, file: string, network: Known, open: (path: string, network: Known) => Promise<void>][] = [
    ['tfjs-layers', 'm.json', known, opensInTensorFlow],
    ['tfjs-layers-thinned', 't.json', thinned, opensInTensorFlow],
    ['keras', 'm.keras', known, openKeras(checkKeras)],
    ['keras-thinned', 't.keras', thinned, openKeras(checkKeras)],
    ['keras-h5', 'm.h5', known, openKeras(checkKerasH5)],
    ['onnx', 'm.onnx', known, opensInOnnxruntime],
    ['onnx-thinned', 't.onnx', thinned, opensInOnnxruntime],
  ];
  for (const [id, file, network, open] of readers) {
    const path = join(folder, file);
    const refusal = refused[id];
    if (refusal) await expect(write(id, network.model, path)).rejects.toThrow(refusal);
    else {
      await write(id, network.model, path);
      await open(path, network).catch((error: Error) => expect.fail(`${id}: ${error.message}`));
    }
  }
} // prettier-ignore

/** TensorFlow.js has its bias on another axis, so no other program computes it: reading refuses it (channelsFirst.ts). */
const MISCOMPUTED = /SeparableConv2D, channels first/;
const REFUSED: Readonly<Record<string, Record<string, RegExp>>> = {
  'LayerNormalization over images': { 'keras-h5': /layer ".+" has several axes, which Keras 3 drops from HDF5 files/ },
  // Interpolation between corners, as in TensorFlow.js, by a factor of 3.
  'UpSampling2D bilinear, by unequal factors': Object.fromEntries(
    ['keras', 'keras-thinned', 'keras-h5'].map((id) => [id, /layer ".+" interpolates between the corners of pixels/]),
  ),
};

describe('a network of every layer class opens elsewhere', () => {
  // What TensorFlow.js cannot compute at all ("instead") has nothing to be compared with.
  const computable = untrainableInTensorFlow.filter(([, , , , instead]) => !instead);
  for (const [name, sample, layers] of [...cases, ...computable, ...wrongInTensorFlow, ...noisy]) {
    if (MISCOMPUTED.test(name)) continue;
    it(name, async () => {
      tf.engine().startScope();
      const { model } = networkOf(chain([...sample], layers()), createRandom(3));
      tf.engine().endScope();
      const inputs = inputsOf(sample);
      const outputs = await predict(model, inputs, [5, ...sample]);
      await opensElsewhere({ model, inputs, sample, outputs }, await scratch(), REFUSED[name]);
    });
  }
});

describe('networks of what TensorFlow.js does not have open elsewhere', () => {
  for (const { name, topology, tokens, refused } of kerasNetworks) {
    it(name, async () => {
      const model = keepShare(builtModel(topology), 0.5, 4);
      const sample = modelGraph(model.topology).inputShapes[0]!.map((size) => size!);
      const inputs = inputsOf(sample, tokens);
      const outputs = await computed(model, inputs, [5, ...sample]);
      const folder = await scratch();
      await opensElsewhere({ model, inputs, sample, outputs, compute: computed }, folder, refused);
      if (refused?.['tfjs-layers']) return;
      // The forms for TensorFlow.js are read back as what they are of.
      const back = await readLayers('m.json', { workspace: folder });
      // A frozen BatchNormalization stays one; of another axis than the last it is written between Permute layers.
      const classes = ({ topology: of }: LayersModel) =>
        modelGraph(of)
          .layers.map(({ layer }) => layer.class_name.replace(/^Batch/, ''))
          .filter((own) => own !== 'Permute');
      expect(classes(back)).toEqual(classes(model));
      expectSame(await computed(back, inputs, [5, ...sample]), outputs, 'tfjs read back', 2e-5);
    });
  }
});

describe('networks as old TensorFlow.js and Keras 2 saved them open elsewhere', () => {
  for (const { name, keras, topology, tokens } of oldNetworks) {
    it(name, async () => {
      const model = builtModel(topology, keras);
      const sample = modelGraph(model.topology).inputShapes[0]!.map((size) => size!);
      const inputs = inputsOf(sample, tokens);
      const outputs = await predict(model, inputs, [5, ...sample]);
      await opensElsewhere({ model, inputs, sample, outputs }, await scratch());
    });
  }

  it('what a Keras file says of its training stands where TensorFlow.js does not compile from it', async () => {
    const folder = await scratch();
    const trainingConfig = { loss: 'kl_divergence', metrics: [{ class_name: 'AUC' }], optimizer_config: { class_name: 'AdamW', config: {} }, weighted_metrics: [] }; // prettier-ignore
    const model: LayersModel = { ...builtModel(oldNetworks[4]!.topology, false), trainingConfig };
    for (const id of ['tfjs-layers', 'tfjs-uint8']) {
      await write(id, model, join(folder, 'm.json'));
      const json = JSON.parse(await readFile(join(folder, 'm.json'), 'utf8')) as Record<string, unknown>;
      expect(json.trainingConfig).toBeUndefined();
      expect((await readLayers(join(folder, 'm.json'), { workspace: folder })).trainingConfig).toEqual(trainingConfig);
    }
  });
});
