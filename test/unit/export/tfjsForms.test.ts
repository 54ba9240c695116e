/** Layers that plain TensorFlow.js refuses are exported in a form that it loads, or refused by name. It loads and computes them here. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportModel, findFormat } from '../../../daemon/export/exportModel.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { loadPlain, savePlain, scratch, tf, tfl } from '../model/tfjs.js';
import { builtModel } from './builtModel.js';

const layer = (class_name: string, config: object) => ({ class_name, config: { name: class_name.toLowerCase(), ...config } }); // prettier-ignore
const sequential = (...layers: object[]): LayersModel =>
  builtModel({ class_name: 'Sequential', config: { name: 'm', layers } });

/** The exported model, as TensorFlow.js computes it. */
async function exported(model: LayersModel, input: tf.Tensor): Promise<tf.Tensor> {
  const path = join(await scratch(), 'model.json');
  await exportModel(model, findFormat('tfjs-layers'), path);
  return (await loadPlain(path)).predict(input) as tf.Tensor;
}

const weight = (model: LayersModel, name: string, shape: number[]) =>
  tf.tensor(model.weights.find((one) => one.name.endsWith(`/${name}`))!.data, shape);
const far = (a: tf.Tensor, b: tf.Tensor): number => {
  expect(a.shape).toEqual(b.shape);
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
};

describe('exports for TensorFlow.js', () => {
  it.each([1, 2, 3])('Softmax along axis %i of an image', async (axis) => {
    const x = tf.randomNormal([2, 3, 4, 5], 0, 1, 'float32', 7);
    const exponents = tf.exp(x);
    const wanted = tf.div(exponents, tf.sum(exponents, axis, true));
    for (const front of [[], [layer('Activation', { activation: 'linear', batch_input_shape: [null, 3, 4, 5] })]]) {
      const first = front.length === 0 ? { batch_input_shape: [null, 3, 4, 5] } : {};
      const model = sequential(...front, layer('Softmax', { axis, ...first }), layer('Activation', { name: 'last', activation: 'linear' })); // prettier-ignore
      expect(far(await exported(model, x), wanted)).toBeLessThan(1e-6);
    }
  });

  it('Softmax along an inner axis as the output of a functional model', async () => {
    const node = (name: string) => [[[name, 0, 0, {}]]];
    const layers = [
      { ...layer('InputLayer', { name: 'x', batch_input_shape: [null, 3, 4] }), name: 'x', inbound_nodes: [] },
      { ...layer('Softmax', { name: 's', axis: -2 }), name: 's', inbound_nodes: node('x') },
    ];
    const model = builtModel({ class_name: 'Model', config: { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['s', 0, 0]] } }); // prettier-ignore
    const x = tf.randomNormal([2, 3, 4], 0, 1, 'float32', 8);
    expect(far(await exported(model, x), tf.div(tf.exp(x), tf.sum(tf.exp(x), 1, true)))).toBeLessThan(1e-6);
  });

  it.each([-1, 1])('BatchNormalization of volumes along axis %i', async (axis) => {
    const shape = axis === 1 ? [6, 2, 3, 4] : [2, 3, 4, 6];
    const model = sequential(layer('BatchNormalization', { axis, epsilon: 1e-3, batch_input_shape: [null, ...shape] }));
    const x = tf.randomNormal([2, ...shape], 0, 1, 'float32', 9);
    const stat = (name: string) => weight(model, name, axis === 1 ? [6, 1, 1, 1] : [6]);
    const unit = tf.div(tf.sub(x, stat('moving_mean')), tf.sqrt(tf.add(stat('moving_variance'), 1e-3)));
    expect(far(await exported(model, x), tf.add(tf.mul(unit, stat('gamma')), stat('beta')))).toBeLessThan(1e-4);
  });

  it('LayerNormalization of volumes along the last axis', async () => {
    const model = sequential(layer('LayerNormalization', { epsilon: 1e-3, batch_input_shape: [null, 2, 3, 4, 6] }));
    const x = tf.randomNormal([2, 2, 3, 4, 6], 0, 1, 'float32', 9);
    const { mean, variance } = tf.moments(x, -1, true);
    const unit = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
    const wanted = tf.add(tf.mul(unit, weight(model, 'gamma', [6])), weight(model, 'beta', [6]));
    expect(far(await exported(model, x), wanted)).toBeLessThan(1e-4);
  });

  it('refuses by name what has no such form', async () => {
    const refused = async (...layers: object[]): Promise<string> =>
      exportModel(sequential(...layers), findFormat('tfjs-layers'), join(await scratch(), 'model.json')).then(
        () => 'written',
        (error: Error) => error.message,
      );
    const along = layer('LayerNormalization', { axis: [3, 4], batch_input_shape: [null, 2, 3, 4, 6] });
    expect(await refused(along)).toMatch(/layer "layernormalization" normalises volumes along other axes than the last, .*; export onnx or keras/); // prettier-ignore
    const open = layer('BatchNormalization', { batch_input_shape: [null, null, 3, 4, 6] });
    expect(await refused(open)).toMatch(/layer "batchnormalization" normalises volumes of an open size.*; export onnx or keras/); // prettier-ignore
  });

  it('SeparableConv2D keeps its depth multiplier, which TensorFlow.js does not save', async () => {
    const net = tfl.sequential({
      layers: [tfl.layers.separableConv2d({ filters: 3, kernelSize: 2, depthMultiplier: 2, inputShape: [4, 4, 2], name: 's' })],
    }); // prettier-ignore
    const folder = await scratch();
    const model = await readLayers(await savePlain(net, folder), { workspace: folder });
    expect(model.notes.join()).toMatch(
      /depth_multiplier, which TensorFlow\.js does not save, was read from the weights/,
    );
    const x = tf.randomNormal([2, 4, 4, 2], 0, 1, 'float32', 10);
    expect(far(await exported(model, x), net.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
  });
});
