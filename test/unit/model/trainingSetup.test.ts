import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { trainingSetup } from '../../../daemon/model/setup/trainingSetup.js';
import type { Loss } from '../../../daemon/engine/engine.js';
import type { LayersModel } from '../../../daemon/model/model.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const ofLayers = {
  kind: 'layers',
  format: 'keras-h5',
  path: 'm.json',
  weights: [],
  notes: [],
} as const satisfies Partial<LayersModel>;
const head = (units: number, activation: string, trainingConfig?: Record<string, unknown>) => ({
  ...ofLayers,
  topology: {
    class_name: 'Sequential',
    config: {
      layers: [{ class_name: 'Dense', config: { name: 'd', units, activation, batch_input_shape: [null, 4] } }],
    },
  },
  ...(trainingConfig ? { trainingConfig } : {}),
});

describe('trainingSetup', () => {
  it('from the output, where the file does not say', () => {
    expect(trainingSetup(head(3, 'softmax'))).toMatchObject({ loss: 'categoricalCrossentropy', classification: true, inputShapes: [[4]], outputShape: [3], output: 'd' });
    expect(trainingSetup(head(1, 'sigmoid'))).toMatchObject({ loss: 'binaryCrossentropy', classification: true });
    expect(trainingSetup(head(1, 'linear'))).toMatchObject({ loss: 'meanSquaredError', classification: false });
    expect(trainingSetup(buildArchitecture('resnet20', 0))).toMatchObject({ loss: 'categoricalCrossentropy', inputShapes: [[32, 32, 3]], outputShape: [10] });
  });

  it('from the training config, in every spelling', () => {
    const loss = (value: unknown, units = 3, activation = 'softmax'): Loss => trainingSetup(head(units, activation, { loss: value })).loss;
    expect(loss('sparse_categorical_crossentropy')).toBe('categoricalCrossentropy');
    expect(loss('categoricalCrossentropy')).toBe('categoricalCrossentropy');
    expect(loss({ class_name: 'MeanAbsoluteError', config: { reduction: 'auto' } }, 1, 'linear')).toBe('meanAbsoluteError');
    expect(loss({ class_name: 'function', config: 'mse', module: 'builtins' }, 1, 'linear')).toBe('meanSquaredError');
    expect(loss({ d: 'huber' }, 1, 'linear')).toBe('huber');
    expect(loss('log_cosh', 1, 'linear')).toBe('logCosh');
    expect(loss('kl_divergence')).toBe('kullbackLeiblerDivergence');
    expect(loss({ class_name: 'KLDivergence', config: {} })).toBe('kullbackLeiblerDivergence');
    expect(loss('mean_squared_logarithmic_error', 1, 'relu')).toBe('meanSquaredLogarithmicError');
    expect(loss(['binary_crossentropy'], 1, 'sigmoid')).toBe('binaryCrossentropy');
  });

  it('an unknown loss falls back to the output and says so', () => {
    const setup = trainingSetup(head(3, 'softmax', { loss: 'cosine_similarity' }));
    expect(setup.loss).toBe('categoricalCrossentropy');
    expect(setup.notes.join()).toContain('cosine_similarity');
  });

  it('squared error on classes still classifies; logits are noted', () => {
    expect(trainingSetup(head(3, 'sigmoid', { loss: 'mse', metrics: ['accuracy'] })).classification).toBe(true);
    expect(trainingSetup(head(1, 'linear', { loss: 'mse', metrics: ['mae'] })).classification).toBe(false);
    const logits = { class_name: 'SparseCategoricalCrossentropy', config: { from_logits: true } };
    expect(trainingSetup(head(3, 'linear', { loss: logits }))).toMatchObject({ fromLogits: true, classification: true });
    const absorbed = trainingSetup(head(3, 'softmax', { loss: logits }));
    expect(absorbed.fromLogits).toBe(false);
    expect(absorbed.notes.join()).toContain("the file's loss takes logits, but output \"d\" is a softmax: the loss is computed on what goes into the softmax");
  });

  it('settings of the loss are taken, and named where they are not', () => {
    const settings = (loss: unknown, units = 3, activation = 'softmax') => {
      const { lossSettings, notes } = trainingSetup(head(units, activation, { loss }));
      return { lossSettings, notes: notes.join() };
    };
    const of = (class_name: string, config: object) => ({ class_name, config: { name: 'x', reduction: 'sum_over_batch_size', ...config } });
    expect(settings(of('Huber', { delta: 0.1 }), 1, 'linear')).toEqual({ lossSettings: { delta: 0.1 }, notes: '' });
    expect(settings(of('Huber', { delta: 1 }), 1, 'linear')).toEqual({ lossSettings: {}, notes: '' });
    expect(settings(of('CategoricalCrossentropy', { from_logits: false, label_smoothing: 0.1, axis: -1 }))).toEqual({ lossSettings: { labelSmoothing: 0.1 }, notes: '' });
    expect(settings(of('CategoricalCrossentropy', { label_smoothing: 0, axis: 1 }))).toEqual({ lossSettings: {}, notes: '' });
    expect(settings(of('BinaryCrossentropy', { label_smoothing: 0.2, reduction: 'auto' }), 1, 'sigmoid')).toEqual({ lossSettings: { labelSmoothing: 0.2 }, notes: '' });
    // tf.keras: the arguments of a function in a wrapper.
    expect(settings(of('Huber', { fn_kwargs: { delta: 2 } }), 1, 'linear').lossSettings).toEqual({ delta: 2 });
    expect(settings({ class_name: 'function', config: 'mse' }, 1, 'linear')).toEqual({ lossSettings: {}, notes: '' });
    const left = settings(of('SparseCategoricalCrossentropy', { reduction: 'sum', ignore_class: 255 }));
    expect(left).toEqual({ lossSettings: {}, notes: 'the loss is computed without what the file sets of it: reduction "sum", ignore_class 255' });
    expect(settings(of('CategoricalCrossentropy', { axis: 0, label_smoothing: 'much' })).notes).toMatch(/axis 0, label_smoothing "much"$/);
    expect(settings(of('Huber', { delta: -1 }), 1, 'linear').notes).toMatch(/delta -1$/);
  });

  it('logits are whatever is not the activation that the loss takes over', () => {
    const loss = { class_name: 'CategoricalCrossentropy', config: { from_logits: true } };
    const of = (activation: string) => trainingSetup(head(3, activation, { loss })).fromLogits;
    expect(['softmax', 'linear', 'tanh', 'relu', 'sigmoid'].map(of)).toEqual([false, true, true, true, true]);
  });

  it('an output classifies by its own loss and metrics', () => {
    expect(trainingSetup(head(1, 'sigmoid', { loss: 'mse', metrics: ['accuracy'] })).classification).toBe(true);
    expect(trainingSetup(head(1, 'sigmoid', { loss: 'mse', metrics: ['mae'] })).classification).toBe(false);
    expect(trainingSetup(head(1, 'linear', { loss: 'mse', metrics: ['accuracy'] })).classification).toBe(false);
    const dense = (name: string, units: number) => ({
      class_name: 'Dense', name, config: { name, units, activation: 'linear' }, inbound_nodes: [[['in', 0, 0, {}]]],
    }); // prettier-ignore
    const layers = [{ class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_input_shape: [null, 4] }, inbound_nodes: [] }, dense('cls', 3), dense('reg', 2)];
    const topology = { class_name: 'Functional', config: { layers, input_layers: [['in', 0, 0]], output_layers: [['cls', 0, 0], ['reg', 0, 0]] } };
    const classifies = (metrics: unknown, format: 'keras-v3' | 'keras-h5' = 'keras-h5') =>
      ['cls', 'reg'].map((output) => trainingSetup({ ...ofLayers, format, topology, trainingConfig: { loss: 'mse', metrics } }, output).classification);
    expect(classifies({ cls: 'accuracy', reg: 'mae' })).toEqual([true, false]);
    expect(classifies({ cls: ['accuracy'] })).toEqual([true, false]);
    expect(classifies([['accuracy'], ['mae']])).toEqual([true, false]);
    expect(classifies([null, [{ class_name: 'CategoricalAccuracy', config: {} }]])).toEqual([false, true]);
    // A flat list: of Keras 3 one metric for each output, of Keras 2 all of them for every output.
    expect(classifies(['accuracy', 'mae'], 'keras-v3')).toEqual([true, false]);
    expect(classifies(['accuracy', 'mae'])).toEqual([true, true]);
    // Outputs of an object have names of their own.
    expect(classifies({ kind: 'accuracy', place: 'mae' })).toEqual([true, false]);
    const weighted = trainingSetup({ ...ofLayers, topology, trainingConfig: { loss: ['mse', 'mae'], loss_weights: [1, 0.5] } }, 'reg');
    expect(weighted.loss).toBe('meanAbsoluteError');
    const inFile = (trainingConfig: Record<string, unknown>) => ['cls', 'reg'].map((output) => trainingSetup({ ...ofLayers, topology, trainingConfig }, output).inFile?.lossWeight ?? null);
    expect(inFile({ loss: ['mse', 'mae'], loss_weights: [1, 0.5] })).toEqual([1, 0.5]);
    expect(inFile({ loss: { reg: 'mse' }, loss_weights: { reg: 2 } })).toEqual([null, 2]);
    expect(inFile({ loss: 'mse', loss_weights: null })).toEqual([1, 1]);
    expect(inFile({ loss: { cls: 'cosine_similarity', reg: 'mse' } })).toEqual([null, 1]);
    expect(inFile({ loss: ['mse', null], loss_weights: [0, 1] })).toEqual([0, null]);
    expect(inFile({ loss: 'mse', loss_weights: [-1, 'two'] })).toEqual([null, null]);
    expect(inFile({})).toEqual([null, null]);
  });

  it('regularizers are named, as they take part, and constraints, as they do not', () => {
    const model = head(3, 'softmax');
    expect(trainingSetup(model).notes).toEqual([]);
    Object.assign(model.topology.config.layers[0]!.config, { kernel_regularizer: { class_name: 'L2', config: { l2: 0.01 } }, bias_regularizer: null });
    expect(trainingSetup(model).notes.join()).toMatch(/^the model's own regularizers are part of the loss in training \(d\)[^|]*$/);
    Object.assign(model.topology.config.layers[0]!.config, { kernel_regularizer: null, kernel_constraint: { class_name: 'MaxNorm', config: {} } });
    expect(trainingSetup(model).notes).toEqual(['activity regularizers and constraints take no part in training (d)']);
  });

  it('several outputs: the last, or the named one', async () => {
    const model = await readLayers('nested.keras', { workspace: fixtures });
    expect(trainingSetup(model)).toMatchObject({ output: 'o2', outputShape: [3], inputShapes: [[6], [4]] });
    expect(trainingSetup(model).notes.join()).toMatch(/2 outputs \(o1, o2\)/);
    expect(trainingSetup(model, 'o1')).toMatchObject({ output: 'o1', outputShape: [2], notes: [] });
    expect(() => trainingSetup(model, 'o9')).toThrow(/no output "o9"; it has "o1", "o2"/);
  });
}); // prettier-ignore
