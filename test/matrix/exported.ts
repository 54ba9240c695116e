/** A model as the product exports it for TensorFlow.js, computed by TensorFlow.js alone. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { asPlainTfjs } from '../../daemon/export/tfjs/tfjsModel.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { layersModel } from '../../daemon/model/files/writeTfjs.js';
import { BATCH, inputsOf, type Case } from './network.js';

/** The outputs of `tf.loadLayersModel` on the export, in inference. @throws errors of TensorFlow.js. */
export async function computedByTensorFlow(model: LayersModel, case_: Case): Promise<Float32Array> {
  await tf.setBackend('cpu');
  const plain = asPlainTfjs(model);
  const weightSpecs = plain.weights.map(({ name, shape, dtype }) => ({ name, shape: [...shape], dtype }));
  const bytes = Buffer.concat(plain.weights.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
  const { modelTopology } = layersModel(plain, []) as { modelTopology: object };
  const weightData = new Uint8Array(bytes).buffer;
  const loaded = await loadLayersModel({ load: () => Promise.resolve({ modelTopology, weightSpecs, weightData }) });
  try {
    const inputs = inputsOf(case_).map((values, i) => tf.tensor(values, [BATCH, ...case_.shapes[i]!]));
    const output = loaded.predict(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor;
    return await output.data<'float32'>();
  } finally {
    loaded.dispose();
  }
} // prettier-ignore
