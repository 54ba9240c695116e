/** Networks on tables: irises, wines, two inputs, two heads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../../daemon/lc/random.js';
import { tfl } from '../../unit/model/tfjs.js';
import { readArrays } from './npzReader.js';
import { asFloats, heldOut, rows, save, saveParts, take, unexplained, upTo, wrongClasses, type Stranger } from './stranger.js'; // prettier-ignore
import { teach, type Rows } from './teach.js';

let seed = 40;
export const glorot = () => ({ kernelInitializer: tfl.initializers.glorotUniform({ seed: seed++ }) });
const dense = (units: number, activation: 'relu' | 'softmax' | 'linear', more = {}) =>
  tfl.layers.dense({ units, activation, ...glorot(), ...more });
export const classes = { loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] };
export const squares = { loss: 'mse', metrics: ['mae'] };

/** Text of a table, without a header: [rows][cells]. */
const cells = async (path: string, separator: string): Promise<string[][]> =>
  (await readFile(path, 'utf8')).trim().split('\n').slice(1).map((line) => line.split(separator)); // prettier-ignore

/** Class numbers as one-hot rows. */
export const oneHot = (labels: ArrayLike<number>, n: number): Rows => {
  const flat = new Float32Array(labels.length * n);
  Array.from(labels).forEach((label, i) => label >= 0 && (flat[i * n + label] = 1));
  return rows([n], flat);
};

const KINDS = { 'Iris-setosa': [5.0, 3.4, 1.5, 0.2], 'Iris-versicolor': [5.9, 2.8, 4.3, 1.3], 'Iris-virginica': [6.6, 3.0, 5.6, 2.0] }; // prettier-ignore

export const iris: Stranger = {
  name: 'Iris: a CSV of 150 rows with names of classes',
  model: 'my flowers/iris net.keras',
  judge: wrongClasses,
  async write(home) {
    const random = createRandom(3);
    const lines = Object.entries(KINDS).flatMap(([kind, means]) =>
      Array.from({ length: 50 }, () => {
        const sizes = means.map((mean, i) => Math.max(0.1, mean + [0.4, 0.3, 0.35, 0.2][i]! * random.normal()));
        return [...sizes.map((size) => size.toFixed(1)), kind].join();
      }),
    );
    await save(home, 'my flowers/Iris data.csv', `sepal_length,sepal_width,petal_length,petal_width,species\n${lines.join('\n')}\n`); // prettier-ignore
    const { inputs, target } = await all(home);
    await teach(
      tfl.sequential({ layers: [dense(32, 'relu', { inputShape: [4] }), dense(16, 'relu'), dense(3, 'softmax')] }),
      join(home, this.model),
      { inputs: [inputs['input']!], outputs: [{ loss: 'categoricalCrossentropy', target: oneHot(target.data, 3) }], rows: heldOut(150).train, epochs: 120, rate: 0.02 },
      classes,
    ); // prettier-ignore
  },
  async stored(home) {
    const { inputs, target } = await all(home);
    const { test } = heldOut(150);
    return { inputs: { input: take(inputs['input']!, test) }, target: take(target, test) };
  },
};

async function all(home: string) {
  const table = await cells(join(home, 'my flowers/Iris data.csv'), ',');
  const names = Object.keys(KINDS);
  return {
    inputs: { input: rows([4], table.flatMap((row) => row.slice(0, 4).map(Number))) },
    target: rows([], table.map((row) => names.indexOf(row[4]!))),
  }; // prettier-ignore
}

const WINE = ['fixed acidity', 'volatile acidity', 'residual sugar', 'chlorides', 'total sulfur dioxide', 'density', 'pH', 'alcohol']; // prettier-ignore
const CENTRES = [8.3, 0.53, 2.5, 0.087, 46, 0.9967, 3.31, 10.4];
const SPREADS = [1.7, 0.18, 1.4, 0.047, 33, 0.0019, 0.15, 1.07];

export const wine: Stranger = {
  name: 'wine: a regression on z-scores, semicolons',
  model: 'wine quality/wine.keras',
  judge: unexplained,
  async write(home) {
    const random = createRandom(4);
    const lines = Array.from({ length: 600 }, () => {
      const z = WINE.map(() => random.normal());
      const quality = 5.6 + 0.9 * z[7]! - 0.6 * z[1]! + 0.5 * Math.max(0, z[0]!) - 0.4 * z[2]! * z[4]! + 0.1 * random.normal(); // prettier-ignore
      return [...z.map((value, i) => (CENTRES[i]! + SPREADS[i]! * value).toPrecision(6)), quality.toFixed(2)].join(';');
    });
    const header = [...WINE, 'quality'].map((name) => `"${name}"`).join(';');
    await save(home, 'wine quality/winequality-red.csv', `${header}\n${lines.join('\n')}\n`);
    const { inputs, target } = await wines(home);
    const { train } = heldOut(600);
    // Scikit-learn's StandardScaler, fitted on the training part; the file does not contain it.
    const scaled = inputs.data.slice();
    for (let j = 0; j < WINE.length; j++) {
      const column = Array.from(train, (row) => inputs.data[row * WINE.length + j]!);
      const mean = column.reduce((a, b) => a + b) / column.length;
      const deviation = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length);
      for (let i = 0; i < 600; i++) scaled[i * WINE.length + j] = (scaled[i * WINE.length + j]! - mean) / deviation;
    }
    await teach(
      tfl.sequential({ layers: [dense(64, 'relu', { inputShape: [WINE.length] }), dense(32, 'relu'), dense(1, 'linear')] }),
      join(home, this.model),
      { inputs: [rows([WINE.length], scaled)], outputs: [{ loss: 'meanSquaredError', target }], rows: train, epochs: 80, rate: 0.01 },
      squares,
    ); // prettier-ignore
  },
  async stored(home) {
    const { inputs, target } = await wines(home);
    const { test } = heldOut(600);
    return { inputs: { input: take(inputs, test) }, target: take(target, test) };
  },
};

async function wines(home: string) {
  const table = await cells(join(home, 'wine quality/winequality-red.csv'), ';');
  const columns = WINE.length;
  return {
    inputs: rows([columns], table.flatMap((row) => row.slice(0, columns).map(Number))),
    target: rows([1], table.map((row) => Number(row[columns]))),
  }; // prettier-ignore
}

/** House-like: numbers and a small picture of each; both determine the class. */
export const twoInputs: Stranger = {
  name: 'two inputs: arrays named as the inputs of the model are',
  model: 'two inputs/both.keras',
  judge: wrongClasses,
  async write(home) {
    const random = createRandom(5);
    const n = 500;
    const [meta, image, labels] = [new Float32Array(n * 6), new Float32Array(n * 64), new Float32Array(n)];
    for (let i = 0; i < n; i++) {
      const [left, right] = [random.below(2), random.below(2)];
      labels[i] = 2 * left + right;
      for (let j = 0; j < 6; j++) meta[i * 6 + j] = random.normal() + (j % 2 === left ? 1.5 : 0);
      for (let j = 0; j < 64; j++) image[i * 64 + j] = 0.7 * random.normal() + (j % 8 < 4 === (right === 0) ? 1 : 0);
    }
    const parts = { meta: rows([6], meta), image: rows([8, 8, 1], image), y: rows([], labels) };
    await saveParts(home, 'two inputs/samples of both.npz', parts, { train: 400, as: asFloats });
    const a = tfl.input({ shape: [6], name: 'meta' });
    const b = tfl.input({ shape: [8, 8, 1], name: 'image' });
    const seen = tfl.layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, activation: 'relu', ...glorot() }).apply(b);
    const flat = tfl.layers.flatten().apply(seen) as tfl.SymbolicTensor;
    const joined = tfl.layers.concatenate().apply([dense(16, 'relu').apply(a) as tfl.SymbolicTensor, flat]);
    const answer = dense(4, 'softmax').apply(dense(24, 'relu').apply(joined)) as tfl.SymbolicTensor;
    await teach(
      tfl.model({ inputs: [a, b], outputs: answer }),
      join(home, this.model),
      { inputs: [parts.meta, parts.image], outputs: [{ loss: 'categoricalCrossentropy', target: oneHot(labels, 4) }], rows: upTo(400), epochs: 25, rate: 0.02 },
      classes,
    ); // prettier-ignore
  },
  async stored(home) {
    const arrays = await readArrays(join(home, 'two inputs/samples of both.npz'));
    return { inputs: { meta: arrays['meta_test']!, image: arrays['image_test']! }, target: arrays['y_test']! };
  },
};

export const twoHeads: Stranger = {
  name: 'two heads: a class and a size, with the weights of their losses',
  model: 'two heads/heads.keras',
  output: 'size',
  judge: unexplained,
  async write(home) {
    const random = createRandom(6);
    const n = 500;
    const x = Float32Array.from({ length: n * 10 }, () => random.normal());
    const kind = Float32Array.from({ length: n }, (_, i) => (x[i * 10]! + x[i * 10 + 1]! > 0 ? 1 : 0) + (x[i * 10 + 2]! > 0.8 ? 1 : 0)); // prettier-ignore
    const size = Float32Array.from({ length: n }, (_, i) => Math.abs(x[i * 10 + 1]!) + x[i * 10 + 3]! + 0.1 * random.normal()); // prettier-ignore
    const parts = { x: rows([10], x), kind: rows([], kind), size: rows([1], size) };
    await saveParts(home, 'two heads/measured.npz', { x: parts.x, y_kind: parts.kind, y_size: parts.size }, { train: 400, as: asFloats }); // prettier-ignore
    const input = tfl.input({ shape: [10], name: 'features' });
    const trunk = dense(32, 'relu').apply(dense(48, 'relu').apply(input)) as tfl.SymbolicTensor;
    const head = (units: number, activation: 'softmax' | 'linear', name: string) =>
      dense(units, activation, { name }).apply(trunk) as tfl.SymbolicTensor;
    await teach(
      tfl.model({ inputs: input, outputs: [head(3, 'softmax', 'kind'), head(1, 'linear', 'size')] }),
      join(home, this.model),
      {
        inputs: [parts.x],
        outputs: [
          { name: 'kind', loss: 'categoricalCrossentropy', target: oneHot(kind, 3) },
          { name: 'size', loss: 'meanSquaredError', target: parts.size },
        ],
        rows: upTo(400),
        epochs: 60,
        rate: 0.01,
      },
      {
        loss: { kind: 'sparse_categorical_crossentropy', size: 'mse' },
        loss_weights: { kind: 1, size: 0.5 },
        metrics: { kind: ['accuracy'], size: ['mae'] },
      },
    );
  },
  async stored(home) {
    const arrays = await readArrays(join(home, 'two heads/measured.npz'));
    return { inputs: { features: arrays['x_test']! }, target: arrays['y_size_test']! };
  },
};
