/** Random networks: an input of some kind, layers that fit it with branches in between, an end, and a loss that suits it. */
import type { Loss } from '../../../../daemon/engine/engine.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { broadcastMerge, dense, dot, elementwise, merge, moving } from './anyRank.js';
import { anySize, Builder, chance, pick, type Tensor } from './builder.js';
import type { InputKind, Network } from './network.js';
import { convLstm, sequential, timeDistributed } from './recurrent.js';
import type { Step } from './settings.js';
import { convolution, pooling, spatial } from './spatial.js';

const KINDS = ['vector', 'vector', 'image', 'image', 'image', 'image', 'sequence', 'sequence', 'sequence', 'long', 'volume', 'frames', 'tokens'] as const; // prettier-ignore

function inputShape(b: Builder, kind: (typeof KINDS)[number]): number[] {
  const { random } = b;
  const side = () => pick(random, [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 20]);
  const channels = () => anySize(random, 9);
  switch (kind) {
    case 'vector':
      return [anySize(random)];
    case 'image':
      return chance(random, 0.85) ? [side(), side(), channels()] : [side(), side(), anySize(random, 65)];
    case 'sequence':
      return [anySize(random, 33), anySize(random, 65)];
    case 'long':
      return [pick(random, [64, 255, 256, 257, 300, 520]), anySize(random, 5)];
    case 'volume':
      return [2 + random.below(5), 2 + random.below(5), 2 + random.below(5), anySize(random, 5)];
    case 'frames':
      return [1 + random.below(4), 3 + random.below(4), 3 + random.below(4), anySize(random, 4)];
    case 'tokens':
      return [anySize(random, 17)];
  }
}

/** A layer that takes the tensor, by its rank. */
const layerFor: Step = (b, x) => {
  const byRank: readonly (readonly Step[])[] = [
    [],
    [dense, dense, elementwise, elementwise, moving, (_, v) => b.add('RepeatVector', { n: anySize(b.random, 9) }, v)],
    [spatial, spatial, spatial, dense, elementwise, elementwise, sequential, timeDistributed, moving],
    [spatial, spatial, spatial, spatial, elementwise, elementwise, dense, moving, timeDistributed],
    [convolution, pooling, spatial, elementwise, timeDistributed, convLstm, convLstm, moving],
  ];
  const steps = byRank[x.shape.length] ?? [elementwise, moving];
  return pick(b.random, steps)(b, x);
};

/** Two ways from one tensor to one shape, joined; a layer shared by both; the same tensor twice; a small one spread. */
const fork: Step = (b, x) => {
  const { random } = b;
  const p = random.next();
  if (p < 0.15) return chance(random, 0.7) ? merge(b, [x, x]) : dot(b, x, x);
  const one = layerFor(b, x);
  if (!one) return undefined;
  if (p < 0.3) {
    // The layer is called again on its own result, if the shapes allow it, or on another tensor of that shape.
    const other = elementwise(b, x);
    const two = other && b.again(one, other);
    return two && merge(b, [one, two]);
  }
  if (p < 0.45) {
    const small = x.shape.length > 1 ? b.add('Reshape', { target_shape: x.shape.map((n, i) => (i === x.shape.length - 1 ? n : 1)) }, x) : undefined; // prettier-ignore
    const spread = small ?? dense(b, one, 1);
    return spread && broadcastMerge(b, one, spread);
  }
  const same = one.shape.length === x.shape.length && one.shape.every((n, i) => n === x.shape[i]);
  if (same && chance(random, 0.6)) return merge(b, chance(random, 0.2) ? [one, x, one] : [one, x]);
  const two = elementwise(b, one);
  if (two && p < 0.55 && two.shape.length <= 2) return dot(b, one, two);
  return two && merge(b, chance(random, 0.5) ? [one, two] : [two, one]);
};

function body(b: Builder, start: Tensor): Tensor {
  const { random } = b;
  const length = pick(random, [1, 1, 2, 2, 3, 3, 4, 5, 6, 8]);
  let x = start;
  for (let done = 0, tries = 0; done < length && tries < 4 * length; tries++) {
    const next = chance(random, 0.18) ? fork(b, x) : layerFor(b, x);
    if (!next) continue;
    x = next;
    done++;
  }
  return x;
}

/** Reduces any tensor to a vector or, a fifth of the time, keeps it: sequences and images have losses too. */
function flatten(b: Builder, x: Tensor): Tensor {
  const { random } = b;
  if (x.shape.length === 1 || chance(random, 0.2)) return x;
  const rank = x.shape.length - 1;
  const global = rank < 3 && chance(random, 0.5);
  return (global ? b.add(`Global${pick(random, ['Max', 'Average'])}Pooling${rank}D`, {}, x) : b.add('Flatten', {}, x)) ?? x; // prettier-ignore
}

export const LOSSES: readonly Loss[] = ['categoricalCrossentropy', 'categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'binaryCrossentropy', 'meanSquaredError', 'meanSquaredError', 'meanAbsoluteError', 'huber']; // prettier-ignore

/** The last layer, by the loss; now and then another one than fits it, so that the loss is computed without a head. */
export function end(b: Builder, x: Tensor, loss: Loss): { output: Tensor; fromLogits: boolean } {
  const { random } = b;
  const categorical = /ategoricalCrossentropy$/.test(loss);
  const units = categorical ? Math.max(2, anySize(random, 17)) : anySize(random, 17);
  const own = categorical ? 'softmax' : loss === 'binaryCrossentropy' ? 'sigmoid' : 'linear';
  const p = random.next();
  const add = (activation: string) => b.add('Dense', { units, activation, use_bias: chance(random, 0.8) }, x);
  if (loss.endsWith('Crossentropy') && p < 0.15) return { output: add('linear') ?? x, fromLogits: true };
  if (loss.endsWith('Crossentropy') && p < 0.3) {
    const logits = add('linear') ?? x;
    const head = categorical && chance(random, 0.5) ? b.add('Softmax', { axis: -1 }, logits) : b.add('Activation', { activation: own }, logits); // prettier-ignore
    return { output: head ?? logits, fromLogits: false };
  }
  if (p < 0.4) return { output: add(loss.endsWith('Crossentropy') ? 'sigmoid' : pick(random, ['relu', 'tanh', 'softmax'])) ?? x, fromLogits: false }; // prettier-ignore
  return { output: add(own) ?? x, fromLogits: false };
}

/** A second input, joined to what the first has become. */
function withSide(b: Builder, x: Tensor): Tensor {
  const { random } = b;
  if (!chance(random, 0.08)) return x;
  const side = b.input(chance(random, 0.5) ? x.shape : [...x.shape.slice(0, -1), anySize(random, 9)]);
  const same = side.shape.at(-1) === x.shape.at(-1);
  return (same ? merge(b, [x, side]) : b.add('Concatenate', { axis: -1 }, x, side)) ?? x;
}

/** The network of a seed: the same for ever, whatever others are drawn. */
export function randomNetwork(seed: number): Network {
  const random = createRandom(seed);
  const batchSize = pick(random, [1, 2, 3, 3, 5, 5, 8, 8, 17, 33]);
  const large = chance(random, 0.06);
  const b = new Builder(random, batchSize, large ? { products: 6e6, numbers: 2e5 } : { products: 5e5, numbers: 3e4 });
  const kind = pick(random, KINDS);
  const tokens = kind === 'tokens' ? anySize(random, 33) : 0;
  const input = b.input(inputShape(b, kind));
  const start = kind === 'tokens' ? b.add('Embedding', { input_dim: tokens, output_dim: anySize(random, 17), mask_zero: chance(random, 0.3) }, input) : input; // prettier-ignore
  const loss = pick(random, LOSSES);
  const last = withSide(b, flatten(b, body(b, start ?? input)));
  const { output, fromLogits } = end(b, last, loss);
  const values: InputKind = chance(random, 0.2) ? 'few' : 'normal';
  // Another output in front, which an engine must not mistake for the one that is trained; or one in the middle that is.
  const outputs = chance(random, 0.05) && last.layer !== output.layer && last !== input ? [last, output] : [output];
  const classes = output.shape.at(-1)!;
  const weighted = loss.endsWith('Crossentropy') && chance(random, 0.1);
  return {
    seed,
    topology: b.topology(outputs),
    loss,
    ...(fromLogits ? { fromLogits } : {}),
    ...(weighted ? { classWeights: Array.from({ length: Math.max(2, classes) }, (_, i) => 0.5 + (i % 3)) } : {}),
    batchSize,
    inputs: b.inputs.map((_, i) => (i === 0 && kind === 'tokens' ? tokens : values)),
    threads: pick(random, [1, 1, 1, 2]),
    level: pick(random, [0, 0, 1]),
  };
}
