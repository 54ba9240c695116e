/** The state that training keeps and changes: batch statistics, masks, velocities. */
import { expect, it } from 'vitest';
import { referenceUpdate } from '../../../daemon/engine/update/reference.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { batches, cnn, dropout, lenet, samples } from './nets.js';
import { batchSize, distance, double, oracleStep, request, settings, type OpenSession } from './contractCases.js';

export function describeTraining(session: OpenSession): void {
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
    // The returned arrays are copies: further training must not have changed them.
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
    // Velocities stay as training left them, so the mask must stop the weights.
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

  it.each(['penalty', 'mask'] as const)(
    'a gradient that is longer than clipNorm is scaled to it, before weight decay and penalty, and without what a mask holds at 0: %s',
    async (kind) => {
      const net = lenet();
      const s = await session(net);
      const random = createRandom(8);
      const ranges = [{ start: 0, end: s.prunableSize }];
      const target = Float32Array.from({ length: s.size }, () => random.normal());
      const keep = Uint8Array.from({ length: s.size }, () => random.below(2));
      const isHeld = (i: number) => kind === 'mask' && i < s.prunableSize && !keep[i];
      await s.setWeights((await s.getWeights()).map((x, i) => (isHeld(i) ? 0 : x)));
      const segments = updateSegments(s.size, s.prunableSize, { [kind]: ranges });
      const [eta, mu, weightDecay] = [0.05, 0.7, 0.02];
      const w = double(await s.getWeights());
      const v = new Float64Array(s.size);
      const factors: number[] = [];
      let clipNorm = 0;
      for (let step = 0; step < 3; step++) {
        const { gradient } = oracleStep(net, s, w, 300 + step);
        const norm = Math.sqrt(gradient.reduce((sum, g, i) => sum + (isHeld(i) ? 0 : g * g), 0));
        // One of the steps has a gradient that stays as it is.
        if (step === 0) clipNorm = 0.99 * norm;
        factors.push(Math.min(1, clipNorm / (norm + 1e-6)));
        const clipped = gradient.map((g) => g * factors.at(-1)!);
        referenceUpdate(w, v, clipped, segments, { eta, ...settings, weightDecay, mu }, double(target), keep);
      }
      expect(Math.min(...factors)).toBeLessThan(0.995);
      const more = kind === 'mask' ? { mask: { keep, ranges } } : { penalty: { mu, target, ranges } };
      await s.train(request(net, 3, { clipNorm, weightDecay, ...more }, 300));
      expect(distance(await s.getWeights(), w)).toBeLessThan(2e-5);
      expect(distance(await s.getVelocity(), v)).toBeLessThan(2e-5);
    },
  );
}
