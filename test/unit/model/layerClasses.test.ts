// @vitest-isolate
/** The registry of layer classes, and classes that TensorFlow.js lacks: what is refused of them, and that files keep them. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thin } from '../../../daemon/export/thin.js';
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeKeras, writeKerasH5 } from '../../../daemon/model/files/writeKeras.js';
import { classOf, LAYER_CLASSES, presentName } from '../../../daemon/model/layerClasses/registry.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { builtModel } from '../export/builtModel.js';
import { checkKeras, checkKerasH5 } from '../keras3/checker.js';
import { scratch, tf } from './tfjs.js';

/** Before any engine registers its own. */
const ofTensorFlow = new Set(Object.keys(tf.serialization.SerializationMap.getMap().classNameMap));

const layer = (class_name: string, name: string, config: object = {}) => ({
  class_name,
  config: { name, trainable: true, ...config },
});
const sequential = (shape: readonly (number | null)[], ...layers: object[]): LayersModel =>
  builtModel({
    class_name: 'Sequential',
    config: { name: 'm', layers: [layer('InputLayer', 'in', { batch_shape: [null, ...shape] }), ...layers] },
  });

async function outputs(model: LayersModel, inputs: Float32Array): Promise<Float32Array> {
  const session = await compiledProvider('cpu').open(model, { loss: 'meanSquaredError', batchSize: 2, purpose: 'inference', seed: 1 }); // prettier-ignore
  try {
    return Float32Array.from(await session.predict([inputs], 2));
  } finally {
    await session.dispose();
  }
}

describe('the registry', () => {
  it('has each name once, and other names of a class are no classes', () => {
    for (const [name, { aliases = [] }] of Object.entries(LAYER_CLASSES))
      for (const alias of aliases) {
        expect(classOf(alias), alias).toBeUndefined();
        expect(presentName(alias)).toBe(name);
      }
    expect(classOf('constructor')).toBeUndefined();
  });

  it('knows for every class what becomes of it: a shape, a part of another layer, another class, or a refusal', () => {
    const handled = new Set(['Subtract']);
    for (const [name, record] of Object.entries(LAYER_CLASSES))
      expect(Boolean(record.shape ?? record.recurrent ?? record.rewrite ?? record.refused) || handled.has(name), name).toBe(true); // prettier-ignore
  });

  it('has a class of its own for what TensorFlow.js lacks, and for nothing that it has', () => {
    for (const [name, { shape, compute, computes, changesSize }] of Object.entries(LAYER_CLASSES))
      if (shape && !changesSize && name !== 'Operation')
        expect(ofTensorFlow.has(name), name).toBe(compute === undefined || computes !== undefined);
  });
});

describe('classes that TensorFlow.js lacks', () => {
  const open = sequential.bind(null, [4, 6]);

  it.each([
    ['groups that do not divide the channels', () => open(layer('GroupNormalization', 'g', { groups: 4 })), /layer "g" has 4 groups of 6 channels/],
    ['no groups at all', () => open(layer('GroupNormalization', 'g', { groups: 0 })), /layer "g" has 0 groups/],
    ['an axis beyond the input', () => open(layer('GroupNormalization', 'g', { groups: 2, axis: 3 })), /layer "g" normalises an axis/],
    ['more cut than there is', () => open(layer('Cropping1D', 'c', { cropping: [3, 1] })), /layer "c" adds or cuts a border that an input of \[4, 6\]/],
    ['a border of another rank', () => open(layer('ZeroPadding3D', 'p')), /layer "p" adds or cuts a border/],
  ])('refuses %s on reading', (_what, read, message) => {
    expect(read).toThrow(message);
  }); // prettier-ignore

  it('keeps them in Keras files, which read back with identical tensors and outputs', async () => {
    const folder = await scratch();
    const model = sequential(
      [4, 4, 4, 2],
      layer('Cropping3D', 'c', { cropping: [[1, 0], [0, 1], [1, 1]], data_format: 'channels_last' }),
      layer('ZeroPadding3D', 'p', { padding: [[0, 1], [0, 0], [2, 0]], data_format: 'channels_last' }),
      layer('Conv3D', 'conv', { filters: 4, kernel_size: [2, 2, 2], activation: 'relu' }),
      layer('GroupNormalization', 'g', { groups: 2, axis: -1, epsilon: 0.01 }),
      layer('Flatten', 'f'),
      layer('Dense', 'd', { units: 3 }),
    ); // prettier-ignore
    const inputs = Float32Array.from({ length: 2 * 128 }, (_, i) => Math.sin(i));
    const expected = await outputs(model, inputs);
    await writeKeras(model, join(folder, 'm.keras'));
    await writeKerasH5(model, join(folder, 'm.h5'));
    await checkKeras(join(folder, 'm.keras'));
    await checkKerasH5(join(folder, 'm.h5'));
    for (const file of ['m.keras', 'm.h5']) {
      const read = await readLayers(file, { workspace: folder });
      expect(read.weights.map(({ name, data }) => [name, [...data]])).toEqual(model.weights.map(({ name, data }) => [name, [...data]])); // prettier-ignore
      expect(await outputs(read, inputs)).toEqual(expected);
    }
  });

  it('lets units in front of borders go, and none in front of a GroupNormalization of several channels a group', async () => {
    const body = (border: object) =>
      sequential(
        [6, 3],
        layer('Conv1D', 'a', { filters: 4, kernel_size: 2, use_bias: true }),
        border,
        layer('Flatten', 'f'),
        layer('Dense', 'd', { units: 2 }),
      );
    // Two filters without weights and bias.
    const dead = (model: LayersModel): LayersModel => ({
      ...model,
      weights: model.weights.map((weight) =>
        weight.name.startsWith('a/') ? { ...weight, data: weight.data.map((x, i) => (i % 4 < 2 ? 0 : x)) } : weight,
      ),
    });
    const kept = (model: LayersModel) => thin(model).layers.find(({ layer: name }) => name === 'a')!.kept;
    const inputs = Float32Array.from({ length: 2 * 18 }, (_, i) => Math.cos(i));
    for (const border of [
      layer('ZeroPadding1D', 'b', { padding: 2 }),
      layer('Cropping1D', 'b', { cropping: [0, 2] }),
      layer('GroupNormalization', 'b', { groups: 4 }),
    ]) {
      const model = dead(body(border));
      expect(kept(model)).toBe(2);
      const [before, after] = [await outputs(model, inputs), await outputs(thin(model).model, inputs)];
      after.forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 5));
    }
    expect(kept(dead(body(layer('GroupNormalization', 'b', { groups: 2 }))))).toBe(4);
  });
});
