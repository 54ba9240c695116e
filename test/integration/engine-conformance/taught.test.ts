/** Distillation: the taught loss and its gradient of every engine against float64 loops over the definition of Hinton et al. 2015. */
import { afterAll, describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../daemon/engine/direct/providers.js';
import type { EngineProvider, EngineSession, SessionSpec, Taught } from '../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { batchSize, distance, double, named } from './contractCases.js';
import { cnn, mlp, samples, source, type Net } from './nets.js';
import * as oracle from './oracle.js';

const engines: EngineProvider[] = [nativeProvider, compiledProvider('cpu'), directProviders([])[3]];
const open: EngineSession[] = [];
afterAll(async () => {
  for (const session of open) await session.dispose();
});
async function opened(engine: EngineProvider, net: Net, more: Partial<SessionSpec>): Promise<EngineSession> {
  const session = await engine.open(net.model, { loss: net.loss, batchSize, seed: 0, ...more });
  open.push(session);
  return session;
}

/** Rows that sum to 1, or shares for each yes or no; for other losses any numbers. One of them is 0. */
function teacherOf({ loss, outputs }: Net): Float32Array {
  const random = createRandom(77);
  const rows = Array.from({ length: batchSize }, (_, row) => {
    const raw = Array.from({ length: outputs }, (_one, k) => (row === 0 && k === 0 ? 0 : 0.05 + random.next()));
    const sum = loss.endsWith('ategoricalCrossentropy') ? raw.reduce((a, b) => a + b) : 2;
    return raw.map((value) => value / sum);
  });
  return Float32Array.from(rows.flat());
}

const plogp = (p: number) => (p === 0 ? 0 : p * Math.log(p));

/** By the definition, from the activated outputs p: a softmax's logits are log p but for a constant, which a softmax forgets. */
function taughtLoss(net: Net, { weight, temperature: t }: Taught, p: Float64Array, y: Float64Array, q: Float64Array) {
  const n = net.outputs;
  const labels = oracle.loss(net.loss, p, y, batchSize);
  if (net.loss === 'meanSquaredError' || net.loss === 'huber')
    return (1 - weight) * labels + weight * oracle.loss(net.loss, p, q, batchSize);
  let divergence = 0;
  for (let row = 0; row < p.length; row += n) {
    const own = p.slice(row, row + n);
    const cooled =
      net.loss === 'binaryCrossentropy'
        ? own.map((one) => 1 / (1 + ((1 - one) / one) ** (1 / t)))
        : own.map((one) => one ** (1 / t) / own.reduce((sum, other) => sum + other ** (1 / t), 0));
    for (let k = 0; k < n; k++) {
      const [a, b] = [q[row + k]!, cooled[k]!];
      divergence += plogp(a) - a * Math.log(b);
      if (net.loss === 'binaryCrossentropy') divergence += plogp(1 - a) - (1 - a) * Math.log(1 - b);
    }
  }
  const rows = net.loss === 'binaryCrossentropy' ? p.length : batchSize;
  return (1 - weight) * labels + (weight * t * t * divergence) / rows;
}

const normalised: Net = mlp('categoricalCrossentropy', 'softmax');
const cases: [string, Net, Taught][] = [
  ['classes at T = 1', normalised, { weight: 0.3, temperature: 1 }],
  ['classes at T = 4', normalised, { weight: 0.7, temperature: 4 }],
  ['classes below T = 1', normalised, { weight: 0.5, temperature: 0.5 }],
  ['the reference alone', normalised, { weight: 1, temperature: 3 }],
  ['several yes/no answers at T = 2', mlp('binaryCrossentropy', 'sigmoid'), { weight: 0.6, temperature: 2 }],
  ['one yes/no answer', mlp('binaryCrossentropy', 'sigmoid', 1), { weight: 0.4, temperature: 3 }],
  ['a regression', mlp('meanSquaredError', 'linear'), { weight: 0.4, temperature: 1 }],
  ['Huber loss', mlp('huber', 'linear'), { weight: 1, temperature: 1 }],
  ['convolutions and normalisation', cnn(), { weight: 0.5, temperature: 2 }],
];

describe.each(engines.map((engine) => [engine.id, engine] as const))('%s', (_, engine) => {
  it.each(cases)('loss and gradient are those of the definition: %s', async (_name, net, taught) => {
    const session = await opened(engine, net, { taught });
    const { inputs, target } = samples(net, batchSize, 5);
    const teacher = teacherOf(net);
    const value = (w: Float64Array) => {
      const { output } = oracle.forward(net.model, named(net, session, w), inputs.map(double), batchSize, true);
      return taughtLoss(net, taught, output, double(target), double(teacher));
    };
    const flat = double(await session.getWeights());
    const { loss, gradient } = await session.gradient([...inputs, teacher], target);
    expect(loss).toBeCloseTo(value(flat), 5);
    expect(distance(gradient, oracle.differences(value, flat))).toBeLessThan(1e-5);
    // The labels of a reference that teaches alone do not matter.
    const other = await session.gradient([...inputs, teacher], target.map((y) => 1 - y)); // prettier-ignore
    if (taught.weight === 1) expect(other).toEqual({ loss, gradient });
    else expect(other.loss).not.toBe(loss);
  });

  it('probabilities that the model computes itself have the loss of their logits', async () => {
    const taught = { weight: 1, temperature: 2 };
    const logits = await opened(engine, mlp('categoricalCrossentropy', 'linear'), { fromLogits: true, taught });
    const own = await opened(engine, normalised, { taught });
    await logits.setWeights(await own.getWeights());
    const { inputs, target } = samples(normalised, batchSize, 8);
    const batch = [...inputs, teacherOf(normalised)];
    const [a, b] = [await logits.gradient(batch, target), await own.gradient(batch, target)];
    expect(a.loss).toBeCloseTo(b.loss, 6);
    expect(distance(a.gradient, b.gradient)).toBeLessThan(1e-6);
    // Sigmoids in the place of a softmax: log p are the logits, and the loss of the labels normalises.
    const net = mlp('categoricalCrossentropy', 'sigmoid');
    const session = await opened(engine, net, { taught });
    const value = (w: Float64Array) => {
      const { output } = oracle.forward(net.model, named(net, session, w), inputs.map(double), batchSize, true);
      return taughtLoss(net, taught, output, double(target), double(batch[1]!));
    };
    const flat = double(await session.getWeights());
    const { loss, gradient } = await session.gradient(batch, target);
    expect(loss).toBeCloseTo(value(flat), 5);
    expect(distance(gradient, oracle.differences(value, flat))).toBeLessThan(1e-5);
  });

  it('a row has the weight of its class in both parts of the loss, and a step in parts is that of the whole', async () => {
    const taught = { weight: 0.5, temperature: 2 };
    const classWeights = [0.25, 3, 1];
    const { inputs, target } = samples(normalised, 6, 6);
    const teacher = Float32Array.from([...teacherOf(normalised), 0.2, 0.5, 0.3]);
    const spec = { taught, batchSize: 6 };
    const weighted = await opened(engine, normalised, { ...spec, classWeights });
    const plain = await opened(engine, normalised, spec);
    let expected = 0;
    for (let sample = 0; sample < 6; sample++) {
      const again = (values: Float32Array) => {
        const width = values.length / 6;
        return Float32Array.from(values, (_value, i) => values[sample * width + (i % width)]!);
      };
      const of = target.subarray(3 * sample, 3 * sample + 3).indexOf(1);
      const { loss } = await plain.gradient([...inputs, teacher].map(again), again(target));
      expected += (classWeights[of]! * loss) / 6;
    }
    const whole = await weighted.gradient([...inputs, teacher], target);
    expect(whole.loss).toBeCloseTo(expected, 5);
    const parts = await opened(engine, normalised, { ...spec, classWeights, microBatch: 2 });
    const split = await parts.gradient([...inputs, teacher], target);
    expect(split.loss).toBeCloseTo(whole.loss, 5);
    expect(distance(split.gradient, whole.gradient)).toBeLessThan(1e-5);
  });

  it('trains on batches with the teacher in their last buffer, and evaluates on the labels alone', async () => {
    const taught = { weight: 1, temperature: 2 };
    const session = await opened(engine, normalised, { taught });
    const plain = await opened(engine, normalised, {});
    const many = samples(normalised, 23, 4);
    expect(await session.evaluate(source(normalised, many, 23))).toEqual(await plain.evaluate(source(normalised, many, 23))); // prettier-ignore
    const { inputs, target } = samples(normalised, batchSize, 5);
    const teacher = teacherOf(normalised);
    const losses: number[] = [];
    const next = (buffers: readonly Float32Array[], into: Float32Array) => {
      expect(buffers).toHaveLength(2);
      buffers[0]!.set(inputs[0]!);
      buffers[1]!.set(teacher);
      into.set(target);
    };
    const step = { learningRate: () => 0.05, momentum: 0.9, nesterov: true, weightDecay: 0 };
    await session.train({ batches: { next }, steps: 200, ...step, onStep: (_i, loss) => losses.push(loss) });
    // The divergence from the teacher, not a cross-entropy: it goes to 0.
    expect(losses.at(-1)!).toBeLessThan(0.05 * losses[0]!);
    expect(losses.at(-1)!).toBeGreaterThan(-1e-6);
  });
});
