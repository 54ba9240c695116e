/** Evaluation and prediction, and how an engine stops and refuses. */
import { expect, it } from 'vitest';
import type { EvaluatedBatch } from '../../../daemon/engine/engine.js';
import { applyHead } from '../../../daemon/engine/loss/tally.js';
import { lenet, mlp, samples, source } from './nets.js';
import * as oracle from './oracle.js';
import { batchSize, distance, double, named, nets, oracleStep, request, type OpenSession } from './contractCases.js';

export function describeEvaluation(session: OpenSession): void {
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

  it('counts wrong answers under a squared error, too, if the spec marks the model as a classifier', async () => {
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

  it('stops between steps when aborted, and reports its progress', async () => {
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
}
