/** Weights, losses, gradients and the steps of training, against float64 loops. */
import { expect, it } from 'vitest';
import type { TrainRequest } from '../../../daemon/engine/engine.js';
import { referenceUpdate } from '../../../daemon/engine/update/reference.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { batches, cnn, lenet, mlp, samples, source } from './nets.js';
import { batchSize, distance, double, nets, oracleStep, request, losses, type OpenSession } from './contractCases.js';

export function describeGradients(session: OpenSession, id: string): void {
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
    expect(s.info.id).toBe(id);
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
    // Probabilities that are not from a softmax: the loss is on the outputs of the model.
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
}
