/** Layers over time: recurrent ones, their wrappers, masks. */
import type { Random } from '../../../../daemon/lc/random.js';
import type { Json } from '../../../../daemon/model/layers/layerConfig.js';
import { anySize, type Builder, chance, pick, type Tensor } from './builder.js';
import { anyActivation, dataFormat, kernelSettings, padding, type Step } from './settings.js';

function cellSettings(random: Random): Json {
  return {
    units: anySize(random, 17),
    activation: chance(random, 0.7) ? 'tanh' : anyActivation(random),
    recurrent_activation: pick(random, ['sigmoid', 'hardSigmoid']),
    use_bias: chance(random, 0.8),
    ...(chance(random, 0.1) ? { dropout: 0.3 } : {}),
    ...(chance(random, 0.1) ? { recurrent_dropout: 0.2 } : {}),
    ...(chance(random, 0.1) ? { implementation: 1 } : {}),
  };
}

const CELLS = ['SimpleRNN', 'GRU', 'LSTM'] as const;

export function anyRecurrent(random: Random, sequences: boolean): { class_name: string; config: Json } {
  return {
    class_name: pick(random, CELLS),
    config: { ...cellSettings(random), return_sequences: sequences, go_backwards: chance(random, 0.15), unroll: chance(random, 0.1) },
  }; // prettier-ignore
}

/** Time steps are unrolled in the graph: few of them. */
const steps = 17;

const recurrent: Step = (b, x) => {
  if (x.shape[0]! > steps) return undefined;
  const { class_name, config } = anyRecurrent(b.random, chance(b.random, 0.6));
  return b.add(class_name, config, x);
};

const bidirectional: Step = (b, x) => {
  if (x.shape[0]! > steps) return undefined;
  return inBothDirections(b, x, chance(b.random, 0.6));
};

export function inBothDirections(b: Builder, x: Tensor, sequences: boolean): Tensor | undefined {
  const { random } = b;
  const { class_name, config } = anyRecurrent(random, sequences);
  const merge_mode = pick(random, ['concat', 'concat', 'sum', 'mul', 'ave']);
  return b.add('Bidirectional', { layer: { class_name, config: { name: `inner_${b.layers.length}`, ...config } }, merge_mode }, x); // prettier-ignore
}

const stacked: Step = (b, x) => {
  const { random } = b;
  if (x.shape[0]! > 9) return undefined;
  const cell = (i: number) => ({ class_name: `${pick(random, CELLS)}Cell`, config: { name: `cell_${b.layers.length}_${i}`, ...cellSettings(random) } }); // prettier-ignore
  const cells = { class_name: 'StackedRNNCells', config: { name: `cells_${b.layers.length}`, cells: [cell(0), cell(1)] } }; // prettier-ignore
  return b.add('RNN', { cell: cells, return_sequences: chance(random, 0.5), go_backwards: chance(random, 0.2) }, x);
};

const masking: Step = (b, x) => b.add('Masking', { mask_value: 0 }, x);

export const sequential: Step = (b, x) =>
  pick<Step>(b.random, [recurrent, recurrent, recurrent, bidirectional, stacked, masking])(b, x);

/** A layer at every step of [time, ...]. */
export const timeDistributed: Step = (b, x) => {
  const { random } = b;
  const rank = x.shape.length - 1;
  const name = `inner_${b.layers.length}`;
  const inner = pick(random, [
    { class_name: 'Dense', config: { units: anySize(random, 17), ...kernelSettings(random) } },
    { class_name: 'Activation', config: { activation: anyActivation(random) } },
    ...(rank === 2 ? [{ class_name: 'Conv1D', config: { filters: anySize(random, 9), kernel_size: [2], padding: padding(random), ...kernelSettings(random) } }] : []),
    ...(rank === 3 ? [{ class_name: 'Conv2D', config: { filters: anySize(random, 9), kernel_size: [2, 2], padding: padding(random), ...kernelSettings(random) } }, { class_name: 'MaxPooling2D', config: { pool_size: [2, 2], strides: [2, 2], padding: padding(random) } }] : []),
    ...(rank > 1 ? [{ class_name: 'Flatten', config: {} }] : []),
  ]); // prettier-ignore
  return b.add('TimeDistributed', { layer: { class_name: inner.class_name, config: { name, ...inner.config } } }, x);
};

/** Over [time, height, width, channels]. */
export const convLstm: Step = (b, x) => {
  const { random } = b;
  if (x.shape[0]! > 5) return undefined;
  const kernel = [1 + random.below(3), 1 + random.below(3)];
  return b.add(
    'ConvLSTM2D',
    { filters: anySize(random, 5), kernel_size: kernel, strides: [1, 1], padding: padding(random), activation: 'tanh', recurrent_activation: 'hardSigmoid', return_sequences: chance(random, 0.5), use_bias: chance(random, 0.7), ...dataFormat(false) },
    x,
  ); // prettier-ignore
};
