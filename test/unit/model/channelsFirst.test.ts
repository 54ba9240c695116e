import * as ort from 'onnxruntime-node';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onnxFile } from '../../../daemon/export/writeOnnx.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeKeras } from '../../../daemon/model/files/writeKeras.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { builtModel } from '../export/builtModel.js';
import { expectSame } from '../export/expectSame.js';
import { predict } from '../export/randomNetworks.js';
import { checkKeras } from '../keras3/checker.js';
import { loadPlain, scratch, tf } from './tfjs.js';

type Json = Record<string, unknown>;
const sequential = (...layers: Json[]): { class_name: string; config: Json } => ({ class_name: 'Sequential', config: { name: 'net', layers } }); // prettier-ignore
const SAMPLES = 3;
const normals = (size: number): Float32Array => {
  const random = createRandom(9);
  return Float32Array.from({ length: size }, () => random.normal());
};

/** out[b, f, t] = tanh(bias[f] + sum over k and c of x[b, c, stride t + dilation k] kernel[k, c, f]), as Keras defines it. */
function conv1d(x: Float32Array, [channels, width]: [number, number], kernel: Float32Array, bias: Float32Array, size: number, filters: number, stride: number, dilation: number): Float32Array {
  const steps = Math.floor((width - (size - 1) * dilation - 1) / stride) + 1;
  const out = new Float32Array(SAMPLES * filters * steps);
  for (let b = 0; b < SAMPLES; b++)
    for (let f = 0; f < filters; f++)
      for (let t = 0; t < steps; t++) {
        let sum = bias[f]!;
        for (let k = 0; k < size; k++)
          for (let c = 0; c < channels; c++) sum += x[(b * channels + c) * width + stride * t + dilation * k]! * kernel[(k * channels + c) * filters + f]!;
        out[(b * filters + f) * steps + t] = Math.tanh(sum);
      }
  return out;
} // prettier-ignore

/** Each channel by its own 2 x 2 filter, then their mix: depth multiplier 1, channels first. */
function separable(x: Float32Array, [channels, rows, columns]: [number, number, number], depthwise: Float32Array, pointwise: Float32Array, bias: Float32Array, filters: number): Float32Array {
  const out = new Float32Array(SAMPLES * filters * (rows - 1) * (columns - 1));
  let at = 0;
  for (let b = 0; b < SAMPLES; b++)
    for (let f = 0; f < filters; f++)
      for (let i = 0; i + 1 < rows; i++)
        for (let j = 0; j + 1 < columns; j++) {
          let sum = bias[f]!;
          for (let c = 0; c < channels; c++) {
            let one = 0;
            for (const [di, dj] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) one += x[((b * channels + c) * rows + i + di) * columns + j + dj]! * depthwise[(di * 2 + dj) * channels + c]!;
            sum += one * pointwise[c * filters + f]!;
          }
          out[at++] = sum;
        }
  return out;
} // prettier-ignore

const conv1dLayer = (strides: number, dilation: number): Json => ({
  class_name: 'Conv1D',
  config: { name: 'x', filters: 4, kernel_size: [3], strides: [strides], dilation_rate: [dilation], padding: 'valid', data_format: 'channels_first', activation: 'tanh', batch_input_shape: [null, 2, 11] },
}); // prettier-ignore
const separableLayer: Json = {
  class_name: 'SeparableConv2D',
  config: { name: 'x', filters: 3, kernel_size: [2, 2], padding: 'valid', data_format: 'channels_first', activation: 'linear', batch_input_shape: [null, 2, 5, 4] },
}; // prettier-ignore

describe('convolutions of channels first that TensorFlow.js miscomputes', () => {
  const cases: [string, Json, number[], (weights: Float32Array[], x: Float32Array) => Float32Array][] = [
    ['Conv1D', conv1dLayer(1, 1), [2, 11], ([kernel, bias], x) => conv1d(x, [2, 11], kernel!, bias!, 3, 4, 1, 1)],
    ['Conv1D, strided', conv1dLayer(2, 1), [2, 11], ([kernel, bias], x) => conv1d(x, [2, 11], kernel!, bias!, 3, 4, 2, 1)],
    ['Conv1D, dilated', conv1dLayer(1, 2), [2, 11], ([kernel, bias], x) => conv1d(x, [2, 11], kernel!, bias!, 3, 4, 1, 2)],
    ['SeparableConv2D', separableLayer, [2, 5, 4], ([d, p, bias], x) => separable(x, [2, 5, 4], d!, p!, bias!, 3)],
  ]; // prettier-ignore
  for (const [name, layer, sample, expected] of cases) {
    it(`${name} gives what Keras defines, in every format`, async () => {
      const model = builtModel(sequential(layer));
      const x = normals(SAMPLES * sample.reduce((n, size) => n * size, 1));
      const outputs = expected(
        model.weights.map(({ data }) => data),
        x,
      );
      expectSame(await predict(model, x, [SAMPLES, ...sample]), outputs, 'here', 1e-5);
      const folder = await scratch();
      await writeTfjsModel(model, join(folder, 'm.json'));
      const loaded = await loadPlain(join(folder, 'm.json'));
      const tfjs = tf.tidy(() => (loaded.predict(tf.tensor(x, [SAMPLES, ...sample])) as tf.Tensor).dataSync());
      expectSame(Float32Array.from(tfjs), outputs, 'tfjs', 1e-5);
      const session = await ort.InferenceSession.create(await onnxFile(model), { intraOpNumThreads: 1 });
      const result = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', x, [SAMPLES, ...sample]) }); // prettier-ignore
      expectSame(result[session.outputNames[0]!]!.data as Float32Array, outputs, 'onnx', 1e-5);
      await writeKeras(model, join(folder, 'm.keras'));
      await checkKeras(join(folder, 'm.keras'));
      const again = await readLayers(join(folder, 'm.keras'), { workspace: folder });
      expectSame(await predict(again, x, [SAMPLES, ...sample]), outputs, 'keras', 1e-5);
    });
  }

  it('a layer between others, called twice, is wired through its Permutes', async () => {
    const entry = (class_name: string, name: string, config: Json, ...inbound_nodes: unknown[]) => ({ class_name, name, config: { name, ...config }, inbound_nodes }); // prettier-ignore
    const topology = {
      class_name: 'Model',
      config: {
        name: 'net',
        layers: [
          entry('InputLayer', 'a', { batch_input_shape: [null, 2, 11] }),
          entry('InputLayer', 'b', { batch_input_shape: [null, 2, 11] }),
          entry('Conv1D', 'x', { ...(conv1dLayer(1, 1).config as Json), batch_input_shape: undefined }, [['a', 0, 0, {}]], [['b', 0, 0, {}]]),
        ],
        input_layers: [['a', 0, 0], ['b', 0, 0]],
        output_layers: [['x', 1, 0]],
      },
    }; // prettier-ignore
    const model = builtModel(topology);
    const [kernel, bias] = model.weights.map(({ data }) => data);
    const x = normals(SAMPLES * 22);
    const session = await ort.InferenceSession.create(await onnxFile(model), { intraOpNumThreads: 1 });
    const zeros = new ort.Tensor('float32', new Float32Array(x.length), [SAMPLES, 2, 11]);
    const result = await session.run({ a: zeros, b: new ort.Tensor('float32', x, [SAMPLES, 2, 11]) });
    expectSame(result[session.outputNames[0]!]!.data as Float32Array, conv1d(x, [2, 11], kernel!, bias!, 3, 4, 1, 1), 'second call', 1e-5); // prettier-ignore
  });

  it('is refused by name where it cannot be meant, or cannot be turned', () => {
    const read = (layer: Json, keras: boolean) => () => normaliseTopology(sequential(layer), 'm.json', keras);
    expect(read(conv1dLayer(1, 1), false)).toThrow(/layer "x" is a Conv1D with channels first, whose output TensorFlow.js computes wrongly/); // prettier-ignore
    const softmax = { class_name: 'Conv1D', config: { ...(conv1dLayer(1, 1).config as Json), activation: 'softmax' } };
    expect(read(softmax, true)).toThrow(/layer "x" is a Conv1D with channels first and a softmax over its last axis/);
    const wrapped = { class_name: 'TimeDistributed', config: { name: 'over', batch_input_shape: [null, 3, 2, 11], layer: { class_name: 'Conv1D', config: { ...(conv1dLayer(1, 1).config as Json), batch_input_shape: undefined } } } }; // prettier-ignore
    expect(read(wrapped, true)).toThrow(/layer "over" wraps a Conv1D with channels first/);
  });
});
