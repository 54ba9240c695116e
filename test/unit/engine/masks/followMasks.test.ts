/** Masks against the definitions of Keras 3.15, written out here, on every kind of engine. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../../daemon/engine/direct/providers.js';
import type { EngineProvider, EngineSession, Loss } from '../../../../daemon/engine/engine.js';
import { followMasks } from '../../../../daemon/engine/masks/followMasks.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import { stepMemory } from '../../../../daemon/engine/stepMemory.js';
import { normals, onCpu, toModel } from '../compiled/tinyModels.js';

const L = tfl.layers;
const engines: EngineProvider[] = [
  nativeProvider,
  compiledProvider('cpu'),
  directProviders(['.']).find(({ id }) => id === 'tfjs-cpu')!,
];
const recurrentInitializer = 'glorotNormal';
const batch = 3;
const tokens = Float32Array.of(1, 2, 3, 0, 2, 0, 0, 0, 4, 4, 1, 3);

type Layers = readonly tfl.layers.Layer[];
const chain = (shape: number[], layers: Layers): tfl.LayersModel => {
  const input = tfl.input({ shape });
  const output = layers.reduce<tfl.SymbolicTensor>((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
  return tfl.model({ inputs: input, outputs: output });
};
const embedding = (maskZero = true) => L.embedding({ inputDim: 5, outputDim: 2, maskZero, name: 'embedding' });

/** Runs `body` on a session of each engine, all of the same weights. */
async function onEach(
  layersModel: tfl.LayersModel,
  loss: Loss,
  body: (session: EngineSession, weights: ReadonlyMap<string, Float32Array>) => Promise<void>,
): Promise<void> {
  const model = toModel(layersModel);
  const weights = new Map(model.weights.map(({ name, data }) => [name, data]));
  for (const engine of engines) {
    const session = await engine.open(model, { loss, batchSize: batch, seed: 0 });
    await body(session, weights);
    await session.dispose();
  }
  await onCpu();
}

const close = (found: ArrayLike<number>, expected: ArrayLike<number>, digits = 5): void => {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(found[i]).toBeCloseTo(expected[i]!, digits);
};

const row = (table: Float32Array, i: number, width: number): number[] => [
  ...table.subarray(i * width, (i + 1) * width),
];
/** x of width `kernel.length / bias.length`. */
const linear = (x: readonly number[], kernel: Float32Array, bias: Float32Array): number[] =>
  [...bias].map((b, j) => x.reduce((sum, value, i) => sum + value * kernel[i * bias.length + j]!, b));
const source = (inputs: readonly Float32Array[], target: Float32Array) => ({
  size: batch,
  read(_start: number, _count: number, into: readonly Float32Array[], expected: Float32Array) {
    inputs.forEach((values, i) => into[i]!.set(values));
    expected.set(target);
  },
});

beforeEach(onCpu);

describe('masks', () => {
  it('GlobalAveragePooling1D averages the steps that count', async () => {
    const network = chain([4], [embedding(), L.globalAveragePooling1d({}), L.dense({ units: 2, name: 'end' })]);
    await onEach(network, 'meanSquaredError', async (session, w) => {
      const expected = [0, 1, 2].flatMap((i) => {
        const counted = [...tokens.subarray(4 * i, 4 * i + 4)].filter((token) => token !== 0);
        const rows = counted.map((token) => row(w.get('embedding/embeddings')!, token, 2));
        const mean = [0, 1].map((j) => rows.reduce((sum, one) => sum + one[j]!, 0) / rows.length);
        return linear(mean, w.get('end/kernel')!, w.get('end/bias')!);
      });
      close(await session.predict([tokens], batch), expected);
      expect(await session.outputMask([tokens], batch)).toBeNull();
    });
  });

  it('a layer that ends a mask ends it for all behind it, which TensorFlow.js forgets', async () => {
    const network = (length: number, maskZero: boolean) =>
      chain([length], [
        embedding(maskZero),
        L.gru({ units: 3, recurrentInitializer, name: 'first' }),
        L.repeatVector({ n: 4 }),
        L.simpleRNN({ units: 2, recurrentInitializer, name: 'second' }),
      ]); // prettier-ignore
    const padded = Float32Array.of(1, 2, 0, 0, 3, 1, 0, 0, 4, 4, 0, 0);
    const short = Float32Array.of(1, 2, 3, 1, 4, 4);
    await onEach(network(2, false), 'meanSquaredError', async (plain) => {
      const expected = await plain.predict([short], batch);
      await onCpu();
      const model = toModel(network(4, true));
      for (const engine of engines) {
        const session = await engine.open(model, { loss: 'meanSquaredError', batchSize: batch, seed: 0 });
        close(await session.predict([padded], batch), expected);
        await session.dispose();
      }
    });
  });

  it('zeros at masked steps are of the layer that has them, not of one of its name in another model', async () => {
    const inner = (name: string) => {
      const input = tfl.input({ shape: [4] });
      const rnn = L.simpleRNN({ units: 2, returnSequences: true, recurrentInitializer, name: 'rnn' });
      const steps = rnn.apply(embedding().apply(input)) as tfl.SymbolicTensor;
      return tfl.model({ inputs: input, outputs: L.flatten().apply(steps) as tfl.SymbolicTensor, name });
    };
    const input = tfl.input({ shape: [4] });
    const both = ['zeroed', 'repeated'].map((name) => inner(name).apply(input) as tfl.SymbolicTensor);
    const network = tfl.model({ inputs: input, outputs: L.concatenate().apply(both) as tfl.SymbolicTensor });
    const model = toModel(network);
    const { layers } = model.topology.config as { layers: { config: { name: string; layers: { config: { name: string } }[] } }[] };
    const changed = layers.map((layer) =>
      layer.config.name !== 'zeroed' ? layer : { ...layer, config: { ...layer.config, layers: layer.config.layers.map((one) => (one.config.name === 'rnn' ? { ...one, config: { ...one.config, zero_output_for_mask: true } } : one)) } },
    );
    const topology = { ...model.topology, config: { ...(model.topology.config as object), layers: changed } };
    followMasks(tf, network, topology as never);
    const output = (network.apply(tf.tensor(tokens, [batch, 4])) as tf.Tensor).dataSync();
    // The first sample's last step is masked: 0 in one model, the step before in the other.
    const step = (half: number, at: number) => [...output.slice(8 * half + 2 * at, 8 * half + 2 * at + 2)].map((x) => x + 0);
    expect(step(0, 3)).toEqual([0, 0]);
    expect(step(1, 3)).toEqual(step(1, 2));
    expect(step(1, 3)).not.toEqual([0, 0]);
  }); // prettier-ignore

  it('a mask leaves a nested model with its output', async () => {
    const inner = chain([4], [embedding(), L.dense({ units: 2, name: 'inside' })]);
    const input = tfl.input({ shape: [4] });
    const mean = L.globalAveragePooling1d({}).apply(inner.apply(input)) as tfl.SymbolicTensor;
    const network = tfl.model({ inputs: input, outputs: mean });
    await onEach(network, 'meanSquaredError', async (session, w) => {
      const expected = [0, 1, 2].flatMap((i) => {
        const rows = [...tokens.subarray(4 * i, 4 * i + 4)]
          .filter((token) => token !== 0)
          .map((token) => linear(row(w.get('embedding/embeddings')!, token, 2), w.get('inside/kernel')!, w.get('inside/bias')!)); // prettier-ignore
        return [0, 1].map((j) => rows.reduce((sum, one) => sum + one[j]!, 0) / rows.length);
      });
      close(await session.predict([tokens], batch), expected);
    });
  });

  it('recurrent layers keep state and output through masked steps, stacked cells theirs and not the first cell’s', async () => {
    const cells = () => [
      L.gruCell({ units: 3, recurrentInitializer }),
      L.simpleRNNCell({ units: 2, recurrentInitializer }),
    ];
    const network = (length: number, maskZero: boolean) =>
      chain([length], [embedding(maskZero), L.rnn({ cell: cells() as never, name: 'stack' })]);
    const padded = Float32Array.of(1, 2, 0, 0, 3, 1, 0, 0, 4, 4, 0, 0);
    const [short, long] = [toModel(network(2, false)), toModel(network(4, true))];
    for (const engine of engines) {
      const of = async (model: typeof short, inputs: Float32Array) => {
        const session = await engine.open(model, { loss: 'meanSquaredError', batchSize: batch, seed: 0 });
        const found = await session.predict([inputs], batch);
        await session.dispose();
        return found;
      };
      close(await of(long, padded), await of(short, Float32Array.of(1, 2, 3, 1, 4, 4)));
    }
  });

  it('Multiply and Maximum read what counts: 1 and nothing in the place of the rest, 0 where no input counts', async () => {
    const inputs = [1, 2].map(() => tfl.input({ shape: [4] }));
    const rows = inputs.map((input, i) => L.embedding({ name: `tokens${i}`, inputDim: 5, outputDim: 2, maskZero: true }).apply(input) as tfl.SymbolicTensor); // prettier-ignore
    const other = Float32Array.of(3, 0, 1, 0, 2, 2, 0, 1, 0, 0, 1, 2);
    for (const kind of ['multiply', 'maximum'] as const) {
      const network = tfl.model({ inputs, outputs: L[kind]().apply(rows) as tfl.SymbolicTensor });
      await onEach(network, 'meanSquaredError', async (session, w) => {
        const expected = [...tokens].flatMap((a, i) => {
          const b = other[i]!;
          const [x, y] = [row(w.get('tokens0/embeddings')!, a, 2), row(w.get('tokens1/embeddings')!, b, 2)];
          return [0, 1].map((j) => {
            if (kind === 'multiply') return a || b ? (a ? x[j]! : 1) * (b ? y[j]! : 1) : 0;
            // Where neither counts, Keras compares the first with itself.
            return a && b ? Math.max(x[j]!, y[j]!) : b ? y[j]! : x[j]!;
          });
        });
        close(await session.predict([tokens, other], batch), expected);
      });
    }
  });

  it('loss, error and gradient of a tagger leave padding out', async () => {
    const network = chain([4], [embedding(), L.dense({ units: 3, activation: 'softmax', name: 'end' })]);
    const classes = [0, 1, 2, 0, 1, 0, 0, 0, 2, 2, 1, 0];
    const target = Float32Array.from(classes.flatMap((c) => [0, 1, 2].map((k) => (k === c ? 1 : 0))));
    await onEach(network, 'categoricalCrossentropy', async (session) => {
      const figures = async () => {
        const p = await session.predict([tokens], batch);
        const counted = [...tokens.keys()].filter((i) => tokens[i] !== 0);
        const wrong = counted.filter((i) => [0, 1, 2].some((k) => p[3 * i + k]! > p[3 * i + classes[i]!]!));
        return {
          loss: counted.reduce((sum, i) => sum - Math.log(p[3 * i + classes[i]!]!), 0) / counted.length,
          error: wrong.length / counted.length,
        };
      };
      expect([...(await session.outputMask([tokens], batch))!]).toEqual(
        [...tokens].map((token) => Number(token !== 0)),
      );
      const expected = await figures();
      const found = await session.evaluate(source([tokens], target));
      close([found.loss, found.error], [expected.loss, expected.error]);
      const { loss, gradient } = await session.gradient([tokens], target);
      expect(loss).toBeCloseTo(expected.loss, 5);
      const [w, d] = [await session.getWeights(), normals(session.size, 3)];
      const at = async (step: number) => {
        await session.setWeights(w.map((x, i) => x + step * d[i]!));
        return (await figures()).loss;
      };
      const slope = ((await at(2 ** -7)) - (await at(-(2 ** -7)))) / 2 ** -6;
      expect(gradient.reduce((sum, g, i) => sum + g * d[i]!, 0)).toBeCloseTo(slope, 3);
    });
  });

  it('of a regression, residuals are of the steps that count', async () => {
    const network = chain([4], [embedding(), L.dense({ units: 1, name: 'end' })]);
    const target = normals(12, 8);
    await onEach(network, 'meanSquaredError', async (session) => {
      const y = await session.predict([tokens], batch);
      const counted = [...tokens.keys()].filter((i) => tokens[i] !== 0);
      const mean = (of: (i: number) => number) => counted.reduce((sum, i) => sum + of(i), 0) / counted.length;
      const found = await session.evaluate(source([tokens], target));
      expect(found.loss).toBeCloseTo(
        mean((i) => (y[i]! - target[i]!) ** 2),
        5,
      );
      expect(found.absoluteError).toBeCloseTo(
        mean((i) => Math.abs(y[i]! - target[i]!)),
        5,
      );
    });
  });

  it('BatchNormalization in training takes mean and variance of the steps that count', async () => {
    const network = chain([4], [embedding(), L.batchNormalization({ name: 'norm', epsilon: 0.01 })]);
    const target = normals(24, 5);
    await onEach(network, 'meanSquaredError', async (session, w) => {
      const x = [...tokens].map((token) => row(w.get('embedding/embeddings')!, token, 2));
      const counted = [...tokens.keys()].filter((i) => tokens[i] !== 0);
      const mean = [0, 1].map((j) => counted.reduce((sum, i) => sum + x[i]![j]!, 0) / counted.length);
      const variance = [0, 1].map(
        (j) => counted.reduce((sum, i) => sum + (x[i]![j]! - mean[j]!) ** 2, 0) / counted.length,
      );
      let loss = 0;
      for (const i of counted)
        for (const j of [0, 1]) {
          const normal = (x[i]![j]! - mean[j]!) / Math.sqrt(variance[j]! + 0.01);
          const y = normal * w.get('norm/gamma')![j]! + w.get('norm/beta')![j]!;
          loss += (y - target[2 * i + j]!) ** 2 / (2 * counted.length);
        }
      expect((await session.gradient([tokens], target)).loss).toBeCloseTo(loss, 4);
    });
  });

  it('a batch with a masked loss is not computed in parts', async () => {
    const model = toModel(chain([4], [embedding(), L.dense({ units: 3, name: 'end' })]));
    const spec = { loss: 'meanSquaredError', batchSize: 4, seed: 0 } as const;
    expect((await stepMemory(model, spec)).native.indivisible).toContain('no mask leaves out');
    await onCpu();
    const plain = toModel(chain([4], [embedding(false), L.dense({ units: 3, name: 'end' })]));
    expect((await stepMemory(plain, spec)).native.indivisible).toBeNull();
  });
});
