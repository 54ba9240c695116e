import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { checkKeras, checkKerasH5, checkLayer } from './checker.js';
import { Keras3Error, type Json, type LayerJson } from './config.js';

const fixtures = join(import.meta.dirname, '..', 'model', 'fixtures');

/** config.json of a file that Keras 3 itself wrote. */
const written = async (name: string): Promise<LayerJson> =>
  JSON.parse(
    strFromU8(unzipSync(new Uint8Array(await readFile(join(fixtures, `${name}.keras`))))['config.json']!),
  ) as LayerJson;

const layersOf = (model: LayerJson): LayerJson[] => model.config.layers as LayerJson[];
const find = (model: LayerJson, className: string): Json =>
  (layersOf(model).find((layer) => layer.class_name === className) ?? layersOf(model)[1]!).config;
const ofClass = (name: string) => (model: LayerJson) => find(model, name);

describe('the checker that stands for Keras 3', () => {
  for (const name of ['cnn', 'nested', 'rnn', 'misc']) {
    it(`${name}: what Keras itself wrote passes, in both formats`, async () => {
      await checkKeras(join(fixtures, `${name}.keras`));
      await checkKerasH5(join(fixtures, `${name}.h5`));
    });
  }

  /** Each was refused by Keras 3.15 itself. */
  const faults: readonly [name: string, file: string, spoil: (model: LayerJson) => void, message: RegExp][] = [
    ['a key that the class does not have', 'rnn', (model) => void (layersOf(model).at(-1)!.config.time_major = false), /Unrecognized keyword arguments passed to \w+: \{'time_major'\}/],
    ['None for a rate', 'cnn', (model) => void (ofClass('Dropout')(model).rate = null), /Dropout cannot have rate=None/],
    ['a missing argument', 'cnn', (model) => void delete ofClass('Dense')(model).units, /missing argument 'units'/],
    ['an initializer with a dtype', 'cnn', (model) => void (ofClass('Conv2D')(model).kernel_initializer = { module: 'keras.initializers', class_name: 'GlorotUniform', config: { seed: null, dtype: 'float32' } }), /GlorotUniform got an unexpected keyword argument 'dtype'/],
    ['VarianceScaling without a mode', 'cnn', (model) => void (ofClass('Conv2D')(model).kernel_initializer = { module: 'keras.initializers', class_name: 'VarianceScaling', config: { scale: 1, mode: null, distribution: 'normal', seed: null } }), /cannot have mode=None/],
    ['an activation that Keras lacks', 'cnn', (model) => void (ofClass('Conv2D')(model).activation = 'hardSigmoid'), /Conv2D cannot have activation/],
    ['an unknown class', 'cnn', (model) => void Object.assign(layersOf(model)[2]!, { class_name: 'ThresholdedReLU' }), /Unknown layer: 'ThresholdedReLU'/],
    ['a stride of none', 'cnn', (model) => void (ofClass('Conv2D')(model).strides = null), /Conv2D cannot have strides=None/],
    ['an output that nobody makes', 'nested', (model) => void (model.config.output_layers = [['o1', 3, 0], ['o2', 0, 0]]), /the output "o1" is not made/],
    ['a call counted from 1', 'nested', (model) => {
      const [tensor] = JSON.stringify(model).match(/"keras_history":\["enc",0,0\]/)!;
      Object.assign(model, JSON.parse(JSON.stringify(model).replaceAll(tensor, '"keras_history":["enc",2,0]')));
    }, /waits for inputs that nobody makes/],
  ]; // prettier-ignore
  for (const [name, file, spoil, message] of faults) {
    it(`refuses ${name}`, async () => {
      const model = await written(file);
      checkLayer(model, file, true);
      spoil(model);
      expect(() => checkLayer(model, file, true)).toThrow(Keras3Error);
      expect(() => checkLayer(model, file, true)).toThrow(message);
    });
  }

  it('refuses several axes in HDF5, where the reader drops them', () => {
    const layer: LayerJson = { class_name: 'LayerNormalization', config: { name: 'n', axis: [1, 2] } };
    expect(() => checkLayer(layer, 'n', false)).toThrow(/its axes are lost in HDF5/);
  });
});
