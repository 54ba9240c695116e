/** What every engine must do, on tiny nets, against float64 loops: the contract of daemon/engine/engine.ts. */
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineProvider, EngineSession, EvaluatedBatch, Loss, SessionSpec, TrainRequest } from '../../../daemon/engine/engine.js'; // prettier-ignore
import { applyHead } from '../../../daemon/engine/loss/tally.js';
import { referenceUpdate } from '../../../daemon/engine/update/reference.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { batches, cnn, dropout, lenet, mlp, residual, samples, source, type Net } from './nets.js';
import * as oracle from './oracle.js';

const batchSize = 5;

const losses: [Loss, string][] = [
  ['categoricalCrossentropy', 'softmax'],
  ['sparseCategoricalCrossentropy', 'softmax'],
  ['binaryCrossentropy', 'sigmoid'],
  ['meanSquaredError', 'linear'],
  ['meanSquaredError', 'softmax'],
  ['meanAbsoluteError', 'tanh'],
  ['huber', 'linear'],
];

const nets: [string, Net][] = [
  ...losses.map(([loss, activation]): [string, Net] => [`mlp, ${loss} of ${activation}`, mlp(loss, activation)]),
  ['convolutions and normalisation', cnn()],
  ['lenet', lenet()],
  ['two inputs and a residual sum', residual()],
];

const double = (values: Float32Array) => Float64Array.from(values);

/** Weights by name: the session's flat vector, and the model's own for those that are not in it. */
function named(net: Net, session: EngineSession, flat: Float64Array): Map<string, Float64Array> {
  const weights = new Map(net.model.weights.map(({ name, data }) => [name, double(data)]));
  for (const { name, offset, size } of session.parameters) weights.set(name, flat.slice(offset, offset + size));
  return weights;
}

/** Loss, gradient (central differences) and moving averages after a step, of batch `seed` at `flat`. */
function oracleStep(net: Net, session: EngineSession, flat: Float64Array, seed: number) {
  const { inputs, target } = samples(net, batchSize, seed);
  const run = (w: Float64Array) =>
    oracle.forward(net.model, named(net, session, w), inputs.map(double), batchSize, true);
  const value = (w: Float64Array) => oracle.loss(net.loss, run(w).output, double(target), batchSize);
  return { loss: value(flat), gradient: oracle.differences(value, flat), nextState: run(flat).nextState };
}

/** The largest error relative to 1 + magnitude; NaN if any is. */
const distance = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length);
  return Array.from(expected).reduce((worst, x, i) => Math.max(worst, Math.abs(actual[i]! - x) / (1 + Math.abs(x))), 0);
};

const settings = { momentum: 0.9, nesterov: true, weightDecay: 0 };
const request = (net: Net, steps: number, more: Partial<TrainRequest> = {}, seed = 100): TrainRequest => ({
  batches: batches(net, batchSize, seed),
  steps,
  learningRate: () => 0.05,
  ...settings,
  ...more,
});

/** Whether an available engine also opens: a GPU provider may be bundled and still find no device. */
export async function opens(provider: EngineProvider): Promise<boolean> {
  if (!(await provider.probe()).available) return false;
  const net = mlp('meanSquaredError', 'linear');
  try {
    await (await provider.open(net.model, { loss: net.loss, batchSize, seed: 1 })).dispose();
    return true;
  } catch {
    return false;
  }
}

/** Holds an engine to the contract. @param here whether it can run; if not, its tests are skipped by name. */
export function describeContract(provider: EngineProvider, here: boolean): void {
  describe.skipIf(!here)(`engine ${provider.id}`, () => {
    const open: EngineSession[] = [];
    const session = async (net: Net, more: Partial<SessionSpec> = {}) => {
      const opened = await provider.open(net.model, { loss: net.loss, batchSize, seed: 1, ...more });
      open.push(opened);
      return opened;
    };
    afterEach(async () => {
      for (const opened of open.splice(0)) await opened.dispose();
    });

    it.each([
      ['an mlp', mlp('categoricalCrossentropy', 'softmax')],
      ['convolutions', lenet()],
    ])('a batch computed in parts has the loss, gradient and step of the whole: %s', async (_, net) => {
      const spec = { batchSize: 6, classWeights: [0.5, 2, ...Array.from({ length: net.outputs - 2 }, () => 1)] };
      const [whole, parts] = [await session(net, spec), await session(net, { ...spec, microBatch: 2 })];
      const { inputs, target } = samples(net, 6, 3);
      const [expected, got] = [await whole.gradient(inputs, target), await parts.gradient(inputs, target)];
      expect(got.loss).toBeCloseTo(expected.loss, 4);
      expect(distance(got.gradient, expected.gradient)).toBeLessThan(1e-5);
      const steps = (): TrainRequest => ({ ...request(net, 3), batches: batches(net, 6, 7) });
      const [long, short] = [await whole.train(steps()), await parts.train(steps())];
      expect(short.meanLoss).toBeCloseTo(long.meanLoss, 4);
      expect(distance(await parts.getWeights(), await whole.getWeights())).toBeLessThan(1e-5);
    });

    it('lists every trainable weight once, prunable ones first', async () => {
      const net = cnn();
      const s = await session(net);
      expect(s.info.id).toBe(provider.id);
      let at = 0;
      for (const { offset, size, shape, prunable } of s.parameters) {
        expect(offset).toBe(at);
        expect(size).toBe(shape.reduce((a, b) => a * b, 1));
        expect(prunable).toBe(offset < s.prunableSize);
        at += size;
      }
      expect(at).toBe(s.size);
      const prunable = s.parameters.filter((p) => p.prunable).map((p) => p.name);
      expect(prunable).toEqual(['conv1/kernel', 'conv2/kernel', 'conv3/kernel', 'scores/kernel']);
      const free = s.parameters.filter((p) => !p.prunable).map((p) => p.name);
      expect(free.sort()).toEqual(['conv1/bias', 'conv3/bias', 'norm/beta', 'norm/gamma', 'scores/bias']);
      expect(s.inputShapes).toEqual([[9, 8, 2]]);
      expect(s.outputShape).toEqual([4]);
      const weights = await s.getWeights();
      for (const { name, offset, size } of s.parameters) {
        const inFile = net.model.weights.find((weight) => weight.name === name)!;
        expect(weights.slice(offset, offset + size)).toEqual(inFile.data);
      }
      expect(
        distance(await s.getState(), [...double(net.model.weights[5]!.data), ...double(net.model.weights[6]!.data)]),
      ).toBe(0);
    });

    it.each(nets)('loss and gradient equal finite differences in float64: %s', async (_, net) => {
      const s = await session(net);
      for (const seed of [1, 2]) {
        const flat = double(await s.getWeights());
        const expected = oracleStep(net, s, flat, seed);
        const { inputs, target } = samples(net, batchSize, seed);
        const { loss, gradient } = await s.gradient(inputs, target);
        expect(loss).toBeCloseTo(expected.loss, 5);
        expect(distance(gradient, expected.gradient)).toBeLessThan(1e-5);
        // Elsewhere too, not only at the initial point.
        const random = createRandom(seed);
        await s.setWeights(Float32Array.from(flat, (w) => w + 0.3 * random.normal()));
      }
    });

    it.each([
      ['categoricalCrossentropy', 'softmax'],
      ['binaryCrossentropy', 'sigmoid'],
    ] as const)(
      'a loss on logits is the loss of the activated model, and predictions stay logits: %s',
      async (loss, activation) => {
        const activated = mlp(loss, activation);
        const expected = await session(activated);
        const logits = mlp(loss, 'linear');
        const s = await session(logits, { fromLogits: true });
        await s.setWeights(await expected.getWeights());
        const batch = samples(activated, batchSize, 3);
        const [a, b] = [
          await s.gradient(batch.inputs, batch.target),
          await expected.gradient(batch.inputs, batch.target),
        ];
        expect(a.loss).toBeCloseTo(b.loss, 6);
        expect(distance(a.gradient, double(b.gradient))).toBeLessThan(1e-6);
        const many = samples(activated, 23, 4);
        const told = await s.evaluate(source(activated, many, 23));
        const same = await expected.evaluate(source(activated, many, 23));
        expect(told.error).toBe(same.error);
        expect(told.loss).toBeCloseTo(same.loss, 5);
        const [z, p] = [await s.predict(many.inputs, 23), await expected.predict(many.inputs, 23)];
        const probability = Array.from(z, (value, i) => {
          if (activation === 'sigmoid') return 1 / (1 + Math.exp(-value));
          const row = z.subarray(i - (i % 3), i - (i % 3) + 3);
          return Math.exp(value) / row.reduce((sum, other) => sum + Math.exp(other), 0);
        });
        expect(distance(p, probability)).toBeLessThan(1e-6);
        expect(Math.max(...z)).toBeGreaterThan(1);
      },
    );

    it.each([
      ...losses.map(([loss, activation]) => [loss, activation, 3, [0.25, 3, 1]] as const),
      ['binaryCrossentropy', 'sigmoid', 1, [0.5, 4]] as const,
      ['binaryCrossentropy', 'tanh', 1, [0.5, 4]] as const,
      // Probabilities that are not a softmax of their own: the loss is on what the model gives.
      ['categoricalCrossentropy', 'sigmoid', 3, [0.25, 3, 1]] as const,
    ])(
      'class weights multiply the training loss of each sample and its gradient, and no evaluation: %s of %s, %d',
      async (loss, activation, outputs, classWeights) => {
        const net = mlp(loss, activation, outputs);
        const weighted = await session(net, { classWeights });
        const plain = await session(net);
        const { inputs, target } = samples(net, batchSize, 6);
        const weightOf = (sample: number) => {
          const row = target.subarray(sample * outputs, (sample + 1) * outputs);
          return outputs === 1
            ? classWeights[0] + row[0]! * (classWeights[1] - classWeights[0])
            : row.reduce((sum, y, k) => sum + y * classWeights[k]!, 0);
        };
        const told = await weighted.gradient(inputs, target);
        let expectedLoss = 0;
        const expected = new Float64Array(plain.size);
        for (let sample = 0; sample < batchSize; sample++) {
          // A batch of one sample, again and again, has that sample's loss.
          const again = (values: Float32Array) => {
            const width = values.length / batchSize;
            const own = values.subarray(sample * width, (sample + 1) * width);
            return Float32Array.from(values, (_, i) => own[i % width]!);
          };
          const one = await plain.gradient(inputs.map(again), again(target));
          const share = weightOf(sample) / batchSize;
          expectedLoss += share * one.loss;
          one.gradient.forEach((g, i) => (expected[i]! += share * g));
        }
        expect(told.loss).toBeCloseTo(expectedLoss, 5);
        expect(distance(told.gradient, expected)).toBeLessThan(1e-5);
        const many = samples(net, 23, 4);
        expect(await weighted.evaluate(source(net, many, 23))).toEqual(await plain.evaluate(source(net, many, 23)));
        const alike = await session(net, { classWeights: classWeights.map(() => 1) });
        const [a, b] = [await alike.gradient(inputs, target), await plain.gradient(inputs, target)];
        if (!/Squared|Absolute|huber/.test(loss) && !(loss === 'binaryCrossentropy' && outputs > 1)) {
          expect(a.loss).toBeCloseTo(b.loss, 6);
          expect(distance(a.gradient, double(b.gradient))).toBeLessThan(1e-6);
        }
      },
    );

    for (const nesterov of [true, false]) {
      it.each(nets)(`LC-SGD steps equal the float64 oracle, nesterov ${nesterov}: %s`, async (_, net) => {
        const s = await session(net);
        const random = createRandom(5);
        const w = double(await s.getWeights());
        const v = Float64Array.from(w, () => Math.fround(0.1 * random.normal()));
        await s.setVelocity(Float32Array.from(v));
        const target = Float32Array.from(w, () => random.normal());
        // One range ends inside a parameter; a gap in the middle stays free.
        const third = Math.floor(s.prunableSize / 3);
        const ranges = [
          { start: 1, end: third },
          { start: 2 * third, end: s.prunableSize },
        ];
        const mu = 0.7;
        const weightDecay = 0.02;
        const rates = [0.05, 0.02, 0.1];
        const expectedLosses: number[] = [];
        const segments = updateSegments(s.size, s.prunableSize, { penalty: ranges });
        for (const [i, eta] of rates.entries()) {
          const { loss, gradient } = oracleStep(net, s, w, 100 + i);
          expectedLosses.push(loss);
          referenceUpdate(w, v, gradient, segments, { eta, momentum: 0.9, nesterov, weightDecay, mu }, double(target));
        }
        const seen: [number, number][] = [];
        const summary = await s.train(
          request(net, rates.length, {
            learningRate: (i) => rates[i]!,
            nesterov,
            weightDecay,
            penalty: { mu, target, ranges },
            onStep: (i, loss) => seen.push([i, loss]),
          }),
        );
        expect(seen.map(([i]) => i)).toEqual([0, 1, 2]);
        expect(
          distance(
            seen.map(([, loss]) => loss),
            expectedLosses,
          ),
        ).toBeLessThan(1e-5);
        expect(summary).toMatchObject({ steps: 3, aborted: false });
        expect(summary.meanLoss).toBeCloseTo(expectedLosses.reduce((a, b) => a + b) / 3, 5);
        expect(distance(await s.getWeights(), w)).toBeLessThan(2e-5);
        expect(distance(await s.getVelocity(), v)).toBeLessThan(2e-5);
      });
    }

    it('moves batch statistics as TensorFlow.js does, once a step, and a gradient moves none', async () => {
      const net = cnn();
      const s = await session(net);
      const flat = double(await s.getWeights());
      const before = await s.getState();
      const { inputs, target } = samples(net, batchSize, 100);
      await s.gradient(inputs, target);
      expect(await s.getState()).toEqual(before);
      const { nextState } = oracleStep(net, s, flat, 100);
      await s.train(request(net, 1));
      const expected = [...nextState.get('norm/moving_mean')!, ...nextState.get('norm/moving_variance')!];
      expect(distance(await s.getState(), expected)).toBeLessThan(1e-6);
      await s.setState(before);
      expect(await s.getState()).toEqual(before);
    });

    it.each([
      ['dropout', dropout()],
      ['convolutions', cnn()],
    ])('same seed, same result, bit for bit: %s', async (_, net) => {
      const result = async (seed: number) => {
        const s = await session(net, { seed });
        const seen: number[] = [];
        await s.train(request(net, 6, { onStep: (_i, loss) => seen.push(loss) }));
        return { seen, w: await s.getWeights(), v: await s.getVelocity(), state: await s.getState() };
      };
      const first = await result(3);
      expect(await result(3)).toEqual(first);
      if (net.random) expect((await result(4)).w).not.toEqual(first.w);
    });

    it.each([
      ['dropout', dropout()],
      ['convolutions', cnn()],
    ])('continues bit for bit from weights, velocity, state and random state: %s', async (_, net) => {
      const s = await session(net);
      await s.train(request(net, 3));
      const saved = [await s.getWeights(), await s.getVelocity(), await s.getState()] as const;
      const random = JSON.parse(JSON.stringify(s.getRandomState())) as number[];
      const snapshot = saved.map((x) => x.slice());
      await s.train(request(net, 4, {}, 200));
      const expected = [await s.getWeights(), await s.getVelocity(), await s.getState()];
      // What was handed out is a copy: training on must not have changed it.
      expect([...saved]).toEqual(snapshot);
      const other = await session(net, { seed: 99 });
      await other.setWeights(saved[0]);
      await other.setVelocity(saved[1]);
      await other.setState(saved[2]);
      other.setRandomState(random);
      await other.train(request(net, 4, {}, 200));
      expect([await other.getWeights(), await other.getVelocity(), await other.getState()]).toEqual(expected);
    });

    it('velocity persists between train calls', async () => {
      const net = lenet();
      const [once, twice] = [await session(net), await session(net)];
      await once.train(request(net, 4));
      const stream = batches(net, batchSize, 100);
      await twice.train(request(net, 2, { batches: stream }));
      await twice.train(request(net, 2, { batches: stream }));
      expect(await twice.getWeights()).toEqual(await once.getWeights());
      expect((await once.getVelocity()).some((x) => x !== 0)).toBe(true);
    });

    it('retraining keeps masked weights and velocities at exactly 0 and trains the rest like the oracle', async () => {
      const net = lenet();
      const s = await session(net);
      await s.train(request(net, 2));
      const random = createRandom(8);
      const keep = Uint8Array.from({ length: s.size }, () => random.below(2));
      const mask = { keep, ranges: [{ start: 0, end: s.prunableSize }] };
      const masked = (values: Float32Array) => values.map((x, i) => (i < s.prunableSize && !keep[i] ? 0 : x));
      const start = masked(await s.getWeights());
      await s.setWeights(start);
      const w = double(start);
      // Velocities are left as training left them: the mask must stop them by itself.
      const v = double(await s.getVelocity());
      for (let i = 0; i < 2; i++) {
        const { gradient } = oracleStep(net, s, w, 300 + i);
        const eta = 0.05;
        referenceUpdate(
          w,
          v,
          gradient,
          updateSegments(s.size, s.prunableSize, { mask: mask.ranges }),
          { eta, ...settings, mu: 0 },
          undefined,
          keep,
        );
      }
      await s.train(request(net, 2, { mask }, 300));
      const weights = await s.getWeights();
      const velocity = await s.getVelocity();
      expect(distance(weights, w)).toBeLessThan(2e-5);
      expect(distance(velocity, v)).toBeLessThan(2e-5);
      keep.subarray(0, s.prunableSize).forEach((kept, i) => {
        if (!kept) expect([weights[i], velocity[i]]).toEqual([0, 0]);
      });
      expect(weights.subarray(s.prunableSize).every((x) => x !== 0)).toBe(true);
    });

    it.each(nets)('evaluates and predicts like the oracle, also on a last partial batch: %s', async (_, net) => {
      const s = await session(net);
      const size = 2 * batchSize + 3;
      const data = samples(net, size, 50);
      const weights = named(net, s, double(await s.getWeights()));
      const { output } = oracle.forward(net.model, weights, data.inputs.map(double), size, false);
      const progress: number[] = [];
      // The values that the error counts: through their head they are the outputs, sample for sample.
      const given = new Float32Array(output.length);
      const onBatch = ({ start, samples: n, values, head, target: own, mask }: EvaluatedBatch) => {
        const [width, each] = [net.outputs, output.length / size];
        const shares = values.slice(0, n * each);
        applyHead(head, shares, width);
        given.set(shares, start * each);
        expect(own.subarray(0, n * each)).toEqual(data.target.subarray(start * each, (start + n) * each));
        expect(mask).toBeNull();
      };
      const result = await s.evaluate(source(net, data, size), { onProgress: (done) => progress.push(done), onBatch });
      expect(distance(given, output)).toBeLessThan(1e-5);
      expect(result.samples).toBe(size);
      const loss = oracle.loss(net.loss, output, double(data.target), size);
      expect(result.loss).toBeCloseTo(loss, 5);
      const classification = net.loss.endsWith('rossentropy');
      const target = double(data.target);
      const error = classification
        ? oracle.errorRate(net.loss, output, target, size)
        : oracle.unexplained(output, target, net.outputs);
      expect(result.error).toBeCloseTo(error, 4);
      const absolute = target.reduce((sum, y, i) => sum + Math.abs(output[i]! - y), 0) / target.length;
      if (classification) expect(result.absoluteError).toBeUndefined();
      else expect(result.absoluteError).toBeCloseTo(absolute, 5);
      expect(progress.at(-1)).toBe(size);
      expect(distance(await s.predict(data.inputs, size), output)).toBeLessThan(1e-5);
    });

    it('counts wrong answers under a squared error, too, where it is told that the model classifies', async () => {
      const net = mlp('meanSquaredError', 'softmax');
      const s = await session(net, { classification: true });
      const size = 3 * batchSize + 1;
      const data = samples(mlp('categoricalCrossentropy', 'softmax'), size, 8);
      const output = await s.predict(data.inputs, size);
      const { error, absoluteError } = await s.evaluate(source(net, data, size));
      expect(error).toBeCloseTo(
        oracle.errorRate('categoricalCrossentropy', double(output), double(data.target), size),
        6,
      );
      expect(absoluteError).toBeUndefined();
    });

    it('stops between steps when aborted and says how far it came', async () => {
      const net = lenet();
      const s = await session(net);
      const abort = new AbortController();
      const onStep = (i: number) => {
        if (i === 2) abort.abort();
      };
      const summary = await s.train(request(net, 50, { signal: abort.signal, onStep }));
      expect(summary).toMatchObject({ steps: 3, aborted: true });
      const plain = await session(net);
      await plain.train(request(net, 3));
      expect(await s.getWeights()).toEqual(await plain.getWeights());
      const none = await s.train(request(net, 5, { signal: abort.signal }));
      expect(none).toMatchObject({ steps: 0, aborted: true });
    });

    it('an aborted evaluation rejects with the reason, before and between batches: no mean of a part', async () => {
      const net = lenet();
      const s = await session(net, { purpose: 'inference' });
      // More than any engine computes at once.
      const size = 1100;
      const data = source(net, samples(net, size, 50), size);
      const abort = new AbortController();
      const reason = new Error('enough');
      const progress: number[] = [];
      const onProgress = (done: number) => (progress.push(done), abort.abort(reason));
      await expect(s.evaluate(data, { signal: abort.signal, onProgress })).rejects.toBe(reason);
      expect(progress).toHaveLength(1);
      expect(progress[0]).toBeLessThan(size);
      await expect(s.evaluate(data, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const { samples: done, loss } = await s.evaluate(data, { signal: new AbortController().signal });
      expect(done).toBe(size);
      expect(loss).toBeGreaterThan(0);
    });

    it.each([lenet(), mlp('meanSquaredError', 'linear')])('refuses to evaluate on no samples', async (net) => {
      const s = await session(net);
      const none = s.evaluate({ size: 0, read: () => undefined });
      await expect(none).rejects.toMatchObject({ name: 'UserError', code: 'data-invalid' });
      await expect(none).rejects.toThrow(/no samples/);
    });

    it('opened for inference it computes the same, and trains when asked to', async () => {
      const net = lenet();
      const [s, other] = [await session(net, { purpose: 'inference' }), await session(net)];
      const data = samples(net, 13, 50);
      expect(distance(await s.predict(data.inputs, 13), await other.predict(data.inputs, 13))).toBeLessThan(1e-6);
      const [a, b] = [await s.evaluate(source(net, data, 13)), await other.evaluate(source(net, data, 13))];
      expect(a.error).toBe(b.error);
      expect(a.loss).toBeCloseTo(b.loss, 6);
      await s.train(request(net, 2));
      await other.train(request(net, 2));
      expect(await s.getWeights()).toEqual(await other.getWeights());
    });

    it('rejects with "diverged" when the loss is not finite', async () => {
      const net = mlp('categoricalCrossentropy', 'softmax');
      const s = await session(net);
      const poisoned = request(net, 3, {
        batches: { next: (inputs, target) => (inputs[0]!.fill(NaN), void target.fill(1 / 3)) },
      });
      await expect(s.train(poisoned)).rejects.toMatchObject({ name: 'UserError', code: 'diverged' });
    });

    it('rejects vectors of another length', async () => {
      const s = await session(lenet());
      await expect(s.setWeights(new Float32Array(s.size - 1))).rejects.toThrow();
      await expect(s.setVelocity(new Float32Array(s.size + 1))).rejects.toThrow();
    });

    it('stays finite and exact where probabilities saturate', async () => {
      const net = mlp('categoricalCrossentropy', 'softmax');
      const s = await session(net);
      const large = (await s.getWeights()).map((w) => 8 * w);
      await s.setWeights(large);
      const expected = oracleStep(net, s, double(large), 1);
      const { inputs, target } = samples(net, batchSize, 1);
      const { loss, gradient } = await s.gradient(inputs, target);
      expect(expected.loss).toBeGreaterThan(17);
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-4 * expected.loss);
      expect(gradient.every(Number.isFinite)).toBe(true);
    });
  });
}
