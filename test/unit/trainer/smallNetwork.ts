/** A network of one hidden layer with its own back-propagation and Adam, apart from every engine: trained within a test. */
import { createRandom } from '../../../daemon/lc/random.js';

export interface SmallNetwork {
  /** One optimiser step on the mean cross-entropy (squared error, of a regression) of the given rows. @returns that loss. */
  step(inputs: Float32Array, target: Float32Array, count: number): number;
  /** Probabilities in float32, as an engine returns them; for a regression, numbers. */
  predict(inputs: Float32Array, count: number): Float32Array;
}

/** Inputs -> ReLU units -> softmax over `outputs` (or linear). Weights by Glorot, from the seed. @param rate of Adam. */
export function smallNetwork(
  inputs: number,
  units: number,
  outputs: number,
  { seed, rate, regression = false }: { readonly seed: number; readonly rate: number; readonly regression?: boolean },
): SmallNetwork {
  const random = createRandom(seed, 1);
  const glorot = (rows: number, columns: number) =>
    Float64Array.from({ length: rows * columns }, () => (2 * random.next() - 1) * Math.sqrt(6 / (rows + columns)));
  const weights = [glorot(inputs, units), new Float64Array(units), glorot(units, outputs), new Float64Array(outputs)];
  const [w1, b1, w2, b2] = weights as [Float64Array, Float64Array, Float64Array, Float64Array];
  const moments = weights.map(({ length }) => ({ first: new Float64Array(length), second: new Float64Array(length) }));
  let steps = 0;

  function forward(x: Float32Array, at: number, hidden: Float64Array, output: Float64Array): void {
    hidden.set(b1);
    for (let i = 0; i < inputs; i++) {
      const value = x[at + i]!;
      if (value !== 0) for (let j = 0; j < units; j++) hidden[j]! += value * w1[i * units + j]!;
    }
    output.set(b2);
    for (let j = 0; j < units; j++) {
      hidden[j] = Math.max(0, hidden[j]!);
      for (let k = 0; k < outputs; k++) output[k]! += hidden[j]! * w2[j * outputs + k]!;
    }
    if (regression) return;
    const most = Math.max(...output);
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += output[k] = Math.exp(output[k]! - most);
    for (let k = 0; k < outputs; k++) output[k]! /= sum;
  }

  const hidden = new Float64Array(units);
  const output = new Float64Array(outputs);
  return {
    step(x, target, count) {
      const gradients = weights.map(({ length }) => new Float64Array(length));
      const [g1, h1, g2, h2] = gradients as [Float64Array, Float64Array, Float64Array, Float64Array];
      let loss = 0;
      for (let n = 0; n < count; n++) {
        forward(x, n * inputs, hidden, output);
        const back = new Float64Array(units);
        for (let k = 0; k < outputs; k++) {
          const y = target[n * outputs + k]!;
          const error = (output[k]! - y) / count;
          loss += regression ? (error * count) ** 2 / count : y === 1 ? -Math.log(output[k]! + 1e-300) / count : 0;
          h2[k]! += error;
          for (let j = 0; j < units; j++) {
            g2[j * outputs + k]! += error * hidden[j]!;
            back[j]! += error * w2[j * outputs + k]!;
          }
        }
        for (let j = 0; j < units; j++) {
          if (hidden[j] === 0) back[j] = 0;
          h1[j]! += back[j]!;
        }
        for (let i = 0; i < inputs; i++) {
          const value = x[n * inputs + i]!;
          if (value !== 0) for (let j = 0; j < units; j++) g1[i * units + j]! += value * back[j]!;
        }
      }
      steps++;
      weights.forEach((w, which) => {
        const { first, second } = moments[which]!;
        gradients[which]!.forEach((g, i) => {
          first[i] = 0.9 * first[i]! + 0.1 * g;
          second[i] = 0.999 * second[i]! + 0.001 * g * g;
          const [mean, square] = [first[i]! / (1 - 0.9 ** steps), second[i]! / (1 - 0.999 ** steps)];
          w[i]! -= (rate * mean) / (Math.sqrt(square) + 1e-7);
        });
      });
      return loss;
    },
    predict(x, count) {
      const all = new Float32Array(count * outputs);
      for (let n = 0; n < count; n++) {
        forward(x, n * inputs, hidden, output);
        all.set(output, n * outputs);
      }
      return all;
    },
  };
}
