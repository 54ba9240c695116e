/** Readers of exported networks with masks compute the same as Keras (test/fixtures/keras/masks), or the export is refused. */
import * as ort from 'onnxruntime-node';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { asTfjsComputes } from '../../../daemon/export/tfjs/tfjsForms.js';
import { refuseMasksOfTfjs } from '../../../daemon/export/tfjs/tfjsMasks.js';
import { refuseOperations } from '../../../daemon/export/tfjs/tfjsOperations.js';
import { thin } from '../../../daemon/export/thin.js';
import { onnxFile } from '../../../daemon/export/writeOnnx.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { layersModel } from '../../../daemon/model/files/writeTfjs.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { onCpu } from '../engine/compiled/tinyModels.js';
import { kerasNetworks, readNetwork, type KerasNetwork } from '../engine/masks/kerasNetworks.js';

const close = (found: ArrayLike<number>, { output }: KerasNetwork): void => {
  expect(found.length).toBe(output.length);
  output.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4));
};

const shapesOf = (model: LayersModel, { inputs, samples }: KerasNetwork): number[][] =>
  inputs.map((values) => {
    const size = values.length / samples;
    // Tokens, or rows of two numbers.
    return /"class_name":"Masking"/.test(JSON.stringify(model.topology)) ? [samples, ...(size === 16 ? [2, 4, 2] : [4, 2])] : [samples, size]; // prettier-ignore
  }); // prettier-ignore

async function byOnnxruntime(model: LayersModel, network: KerasNetwork): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(await onnxFile(model), { intraOpNumThreads: 1 });
  const shapes = shapesOf(model, network);
  const tensors = network.inputs.map((values, i) => new ort.Tensor('float32', Float32Array.from(values), shapes[i]));
  const result = await session.run(Object.fromEntries(session.inputNames.map((name, i) => [name, tensors[i]!])));
  const output = (result[session.outputNames[0]!]!.data as Float32Array).slice();
  await session.release();
  return output;
}

async function byTensorFlow(model: LayersModel, network: KerasNetwork): Promise<Float32Array> {
  await onCpu();
  const weightSpecs = model.weights.map(({ name, shape, dtype }) => ({ name, shape: [...shape], dtype }));
  const weightData = new Uint8Array(Buffer.concat(model.weights.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)))).buffer; // prettier-ignore
  const { modelTopology } = layersModel(asTfjsComputes(model), []) as { modelTopology: object };
  const loaded = await loadLayersModel({ load: () => Promise.resolve({ modelTopology, weightSpecs, weightData }) });
  const shapes = shapesOf(model, network);
  const inputs = network.inputs.map((values, i) => tf.tensor(values, shapes[i]));
  const output = loaded.predict(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor;
  const values = await output.data<'float32'>();
  loaded.dispose();
  return values;
}

/** The backends of Keras differ on them: no engine, and no export, computes them. */
const refused = /unrolled/;
const networks = kerasNetworks.filter(({ id }) => !refused.test(id) || id === 'LSTM, unrolled');

describe('exported networks with masks', () => {
  it.each(networks)('ONNX, also thinned: $id', async (network) => {
    const model = await readNetwork(network);
    close(await byOnnxruntime(model, network), network);
    close(await byOnnxruntime(thin(model).model, network), network);
  });

  it('a layers-model is as Keras has it in TensorFlow.js, or is refused', async () => {
    const [right, wrong]: [string[], string[]] = [[], []];
    for (const network of networks) {
      const model = await readNetwork(network);
      try {
        refuseMasksOfTfjs(model);
        refuseOperations(model);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        continue;
      }
      const output = await byTensorFlow(model, network);
      const same = network.output.every((value, i) => Math.abs(output[i]! - value) < 1e-4);
      (same ? right : wrong).push(network.id);
    }
    expect(wrong).toEqual([]);
    // Chains are let through.
    expect(right.length).toBeGreaterThan(15);
  });
});
