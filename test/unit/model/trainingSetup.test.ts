import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/architectures.js';
import { readModel } from '../../../daemon/model/readModel.js';
import { trainingSetup } from '../../../daemon/model/trainingSetup.js';
import type { Loss } from '../../../daemon/engine/engine.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const head = (units: number, activation: string, trainingConfig?: Record<string, unknown>) => ({
  path: 'm.json',
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
    expect(loss(['binary_crossentropy'], 1, 'sigmoid')).toBe('binaryCrossentropy');
  });

  it('an unknown loss falls back to the output and says so', () => {
    const setup = trainingSetup(head(3, 'softmax', { loss: 'kullback_leibler_divergence' }));
    expect(setup.loss).toBe('categoricalCrossentropy');
    expect(setup.notes.join()).toContain('kullback_leibler_divergence');
  });

  it('squared error on classes still classifies; logits are told', () => {
    expect(trainingSetup(head(3, 'sigmoid', { loss: 'mse', metrics: ['accuracy'] })).classification).toBe(true);
    expect(trainingSetup(head(1, 'linear', { loss: 'mse', metrics: ['mae'] })).classification).toBe(false);
    const logits = { class_name: 'SparseCategoricalCrossentropy', config: { from_logits: true } };
    expect(trainingSetup(head(3, 'linear', { loss: logits }))).toMatchObject({ fromLogits: true, classification: true });
    expect(trainingSetup(head(3, 'softmax', { loss: logits })).fromLogits).toBe(false);
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
    const model = await readModel('nested.keras', { workspace: fixtures });
    expect(trainingSetup(model)).toMatchObject({ output: 'o2', outputShape: [3], inputShapes: [[6], [4]] });
    expect(trainingSetup(model).notes.join()).toMatch(/2 outputs \(o1, o2\)/);
    expect(trainingSetup(model, 'o1')).toMatchObject({ output: 'o1', outputShape: [2], notes: [] });
    expect(() => trainingSetup(model, 'o9')).toThrow(/no output "o9"; it has "o1", "o2"/);
  });
}); // prettier-ignore
