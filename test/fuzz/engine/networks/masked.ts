/** Random networks of padded sequences: a mask is made, passed on by some layers, and read by one, or by the loss. */
import { createRandom } from '../../../../daemon/lc/random.js';
import { dense } from './anyRank.js';
import { anySize, Builder, chance, pick, type Tensor } from './builder.js';
import { end, LOSSES } from './grammar.js';
import type { InputKind, Network } from './network.js';
import { anyRecurrent, inBothDirections } from './recurrent.js';
import { anyActivation, kernelSettings, type Step } from './settings.js';

/** Apart from the grammar's own. */
const STREAM = 21;

interface Start {
  readonly tensor: Tensor;
  readonly values: InputKind;
}

/** Tokens of which 0 is padding, or rows of which those of zeros are; few of each, so that whole samples are padding, too. */
function start(b: Builder, steps: number): Start | undefined {
  const { random } = b;
  if (chance(random, 0.35)) {
    const input = b.input([steps, anySize(random, 9)]);
    const tensor = b.add('Masking', { mask_value: 0 }, input);
    return tensor && { tensor, values: 'padded' };
  }
  const tokens = pick(random, [2, 3, 5, 9]);
  const config = { input_dim: tokens, output_dim: anySize(random, 17), mask_zero: true };
  const tensor = b.add('Embedding', config, b.input([steps]));
  return tensor && { tensor, values: tokens };
}

const recurrent =
  (sequences: boolean): Step =>
  (b, x) => {
    const { class_name, config } = anyRecurrent(b.random, sequences);
    return b.add(class_name, config, x);
  };

const stacked =
  (sequences: boolean): Step =>
  (b, x) => {
    const cell = (kind: string, i: number) => ({ class_name: `${kind}Cell`, config: { name: `cell_${b.layers.length}_${i}`, units: anySize(b.random, 9) } }); // prettier-ignore
    const kinds = ['SimpleRNN', 'GRU', 'LSTM'];
    const cells = { class_name: 'StackedRNNCells', config: { name: `cells_${b.layers.length}`, cells: [0, 1].map((i) => cell(pick(b.random, kinds), i)) } }; // prettier-ignore
    return b.add('RNN', { cell: cells, return_sequences: sequences, go_backwards: chance(b.random, 0.2) }, x);
  };

const timeDistributed: Step = (b, x) =>
  b.add('TimeDistributed', { layer: { class_name: 'Dense', config: { name: `inner_${b.layers.length}`, units: anySize(b.random, 17), ...kernelSettings(b.random) } } }, x); // prettier-ignore

/** They pass the mask on. */
const passing: Step = (b, x) =>
  pick<Step>(b.random, [
    recurrent(true),
    recurrent(true),
    (_, v) => inBothDirections(b, v, true),
    stacked(true),
    (_, v) => dense(b, v),
    timeDistributed,
    (_, v) => b.add('Activation', { activation: anyActivation(b.random) }, v),
    (_, v) => b.add('BatchNormalization', { axis: -1, momentum: 0.9, epsilon: 0.01 }, v),
    (_, v) => b.add('LayerNormalization', { axis: -1, epsilon: 0.01 }, v),
    (_, v) => b.add('Dropout', { rate: 0.4 }, v),
    (_, v) => b.add('SpatialDropout1D', { rate: 0.3 }, v),
  ])(b, x);

/** They read the mask and end it, or end it unread; or the loss reads it. */
const reading: Step = (b, x) =>
  pick<Step>(b.random, [
    recurrent(false),
    recurrent(false),
    (_, v) => inBothDirections(b, v, false),
    stacked(false),
    (_, v) => b.add('GlobalAveragePooling1D', {}, v),
    (_, v) => b.add('GlobalAveragePooling1D', {}, v),
    (_, v) => b.add('GlobalMaxPooling1D', {}, v),
    (_, v) => b.add('Flatten', {}, v),
    (_, v) => b.add('Conv1D', { filters: anySize(b.random, 9), kernel_size: [2], padding: 'same', ...kernelSettings(b.random) }, v),
    (_, v) => {
      const last = recurrent(false)(b, v);
      const again = last && b.add('RepeatVector', { n: 1 + b.random.below(4) }, last);
      return again && recurrent(chance(b.random, 0.5))(b, again);
    },
    (_, v) => v,
    (_, v) => v,
    (_, v) => v,
  ])(b, x); // prettier-ignore

/** Joins two masked branches of one width, each with its own mask. */
function joined(b: Builder, x: Tensor, y: Tensor): Tensor | undefined {
  const { random } = b;
  const width = anySize(random, 17);
  const [one, two] = [dense(b, x, width), dense(b, y, width)];
  const kind = pick(random, ['Add', 'Average', 'Multiply', 'Maximum', 'Minimum', 'Concatenate', 'Concatenate']);
  return one && two && b.add(kind, kind === 'Concatenate' ? { axis: pick(random, [-1, 1]) } : {}, one, two);
}

/** The network of a seed: the same for ever, whatever others are drawn. */
export function maskedNetwork(seed: number): Network {
  const random = createRandom(seed, STREAM);
  const batchSize = pick(random, [1, 2, 3, 5, 8, 17]);
  const b = new Builder(random, batchSize, { products: 3e5, numbers: 2e4 });
  const steps = 1 + random.below(9);
  const loss = pick(random, LOSSES);
  const first = start(b, steps)!;
  const inputs: InputKind[] = [first.values];
  let x = first.tensor;
  if (chance(random, 0.3)) {
    const second = start(b, steps)!;
    inputs.push(second.values);
    x = joined(b, x, second.tensor) ?? x;
  }
  for (let i = random.below(3); i > 0; i--) x = passing(b, x) ?? x;
  if (chance(random, 0.15)) x = joined(b, x, passing(b, x) ?? x) ?? x;
  const { output, fromLogits } = end(b, reading(b, x) ?? x, loss);
  const classes = output.shape.at(-1)!;
  const weighted = loss.endsWith('Crossentropy') && chance(random, 0.25);
  return {
    seed,
    topology: b.topology([output]),
    loss,
    ...(fromLogits ? { fromLogits } : {}),
    ...(weighted ? { classWeights: Array.from({ length: Math.max(2, classes) }, (_, i) => 0.5 + (i % 3)) } : {}),
    batchSize,
    inputs: inputs.slice(0, b.inputs.length),
    threads: pick(random, [1, 2]),
    level: pick(random, [0, 0, 1]),
  };
}
