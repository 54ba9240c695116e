/** Networks on padded sequences: a classifier of texts, and a tagger. */
import { join } from 'node:path';
import { createRandom } from '../../../daemon/lc/random.js';
import { tfl } from '../../unit/model/tfjs.js';
import { readArrays } from './npzReader.js';
import { asIntegers, rows, saveArrays, take, upTo, wrongClasses, wrongSides, type Stranger } from './stranger.js';
import { classes, glorot, oneHot } from './tables.js';
import { teach } from './teach.js';

const WORDS = 30;
const LENGTH = 12;
const N = 500;

/** Words 1..29 of random number, then zeros. */
function sentences(seed: number): { words: Float32Array; lengths: number[] } {
  const random = createRandom(seed);
  const words = new Float32Array(N * LENGTH);
  const lengths = Array.from({ length: N }, (_, i) => {
    const length = 4 + random.below(LENGTH - 3);
    for (let t = 0; t < length; t++) words[i * LENGTH + t] = 1 + random.below(WORDS - 1);
    return length;
  });
  return { words, lengths };
}

const embedding = () =>
  tfl.layers.embedding({ inputDim: WORDS, outputDim: 8, maskZero: true, inputLength: LENGTH, embeddingsInitializer: tfl.initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: 8 }) }); // prettier-ignore
const recurrent = (returnSequences: boolean, units = 12) =>
  tfl.layers.lstm({ units, returnSequences, recurrentInitializer: tfl.initializers.glorotUniform({ seed: 9 }), ...glorot() }); // prettier-ignore

export const texts: Stranger = {
  name: 'a text classifier: padding is masked',
  model: 'movie reviews/sentiment.keras',
  judge: wrongSides,
  async write(home) {
    const { words } = sentences(7);
    // More of the upper than of the lower words.
    const label = Float32Array.from({ length: N }, (_, i) => {
      const row = words.subarray(i * LENGTH, (i + 1) * LENGTH);
      return row.reduce((sum, word) => sum + (word === 0 ? 0 : word > 15 ? 1 : -1), 0) > 0 ? 1 : 0;
    });
    const [x, y] = [rows([LENGTH], words), rows([], label)];
    await saveArrays(home, 'movie reviews/reviews, padded.npz', {
      x_train: asIntegers(take(x, upTo(400))),
      y_train: asIntegers(take(y, upTo(400))),
      x_test: asIntegers(take(x, upTo(N, 400))),
      y_test: asIntegers(take(y, upTo(N, 400))),
    });
    await teach(
      tfl.sequential({ layers: [embedding(), recurrent(false), tfl.layers.dense({ units: 1, activation: 'sigmoid', ...glorot() })] }),
      join(home, this.model),
      { inputs: [x], outputs: [{ loss: 'binaryCrossentropy', target: rows([1], label) }], rows: upTo(400), epochs: 40, rate: 0.3 },
      { loss: 'binary_crossentropy', metrics: ['accuracy'] },
    ); // prettier-ignore
  },
  async stored(home) {
    const arrays = await readArrays(join(home, 'movie reviews/reviews, padded.npz'));
    return { inputs: { input: arrays['x_test']! }, target: arrays['y_test']! };
  },
};

export const tagger: Stranger = {
  name: 'a sequence tagger: padding does not count',
  model: 'part of speech/tagger.keras',
  judge: wrongClasses,
  async write(home) {
    const { words, lengths } = sentences(8);
    // The tag depends on the word, and on whether the word before was of the upper half; padding has the tag 0.
    const tags = words.map((word, k) => {
      const t = k % LENGTH;
      if (t >= lengths[Math.floor(k / LENGTH)]!) return 0;
      return (word % 2 === 0 ? 0 : 1) + (t > 0 && words[k - 1]! > 15 ? 1 : 0);
    });
    const [x, y] = [rows([LENGTH], words), rows([LENGTH], tags)];
    await saveArrays(home, 'part of speech/sentences.npz', {
      x_train: asIntegers(take(x, upTo(400))),
      y_train: asIntegers(take(y, upTo(400))),
      x_test: asIntegers(take(x, upTo(N, 400))),
      y_test: asIntegers(take(y, upTo(N, 400))),
    });
    const head = tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units: 3, activation: 'softmax', ...glorot() }) }); // prettier-ignore
    await teach(
      tfl.sequential({ layers: [embedding(), recurrent(true, 16), head] }),
      join(home, this.model),
      { inputs: [x], outputs: [{ loss: 'categoricalCrossentropy', target: rows([LENGTH, 3], oneHot(tags, 3).data) }], rows: upTo(400), epochs: 30, rate: 0.5 },
      classes,
    ); // prettier-ignore
  },
  async stored(home) {
    const { x_test: x, y_test: y } = await readArrays(join(home, 'part of speech/sentences.npz'));
    return { inputs: { input: x! }, target: { shape: [LENGTH], data: y!.data.map((tag, k) => (x!.data[k] === 0 ? -1 : tag)) } }; // prettier-ignore
  },
};
