/** A run's checkpoint means the same on every engine: a run may continue on another one after a crash. */
import { describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../daemon/engine/direct/providers.js';
import type { EngineProvider, EngineSession } from '../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { batches, cnn, dropout, lenet, mlp, residual, samples, type Net } from './nets.js';
import { opens } from './contract.js';

const BATCH = 8;
const tfjs = directProviders([process.cwd()]).find(({ id }) => id === 'tfjs-cpu')!;
const from: EngineProvider[] = [compiledProvider('cpu'), ...((await opens(nativeProvider)) ? [nativeProvider] : [])];
const nets: Record<string, Net> = {
  mlp: mlp('categoricalCrossentropy', 'softmax'),
  cnn: cnn(),
  lenet: lenet(),
  residual: residual(),
  dropout: dropout(),
};
const spec = (net: Net) => ({ loss: net.loss, batchSize: BATCH, seed: 3 });
const train = (session: EngineSession, net: Net, seed: number) =>
  session.train({
    batches: batches(net, BATCH, seed),
    steps: 3,
    learningRate: () => 0.05,
    momentum: 0.9,
    nesterov: true,
    weightDecay: 0,
  });

/** The state that a checkpoint takes from a session. */
async function handOver(session: EngineSession, next: EngineSession): Promise<void> {
  await next.setWeights(await session.getWeights());
  await next.setState(await session.getState());
  await next.setVelocity(await session.getVelocity());
  next.setRandomState(session.getRandomState());
}

const gap = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(
    a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) /
      Math.max(
        1e-30,
        b.reduce((sum, x) => sum + x * x, 0),
      ),
  );

describe.each(from.map((provider) => [provider.id, provider] as const))('from %s', (_id, provider) => {
  it.each(Object.entries(nets))('%s goes on elsewhere as on its own engine', async (_name, net) => {
    const session = await provider.open(net.model, spec(net));
    await train(session, net, 1);
    for (const other of [...from.filter(({ id }) => id !== provider.id), tfjs]) {
      const next = await other.open(net.model, spec(net));
      expect(next.parameters, other.id).toEqual(session.parameters);
      await handOver(session, next);
      expect(next.getRandomState()).toEqual(session.getRandomState());
      const { inputs } = samples(net, BATCH, 5);
      expect(gap(await next.predict(inputs, BATCH), await session.predict(inputs, BATCH)), other.id).toBeLessThan(1e-4);
      // Trained on from there, with the momentum: another order of the weights, or a velocity left behind, would show.
      // TensorFlow.js draws other masks, so that only what does not draw is compared there.
      if (!net.random || other !== tfjs) {
        const own = await provider.open(net.model, spec(net));
        await handOver(session, own);
        const before = await own.getWeights();
        await Promise.all([train(own, net, 2), train(next, net, 2)]);
        const steps = (weights: Float32Array) => weights.map((w, i) => w - before[i]!);
        expect(gap(steps(await next.getWeights()), steps(await own.getWeights())), other.id).toBeLessThan(1e-2);
        await own.dispose();
      }
      await next.dispose();
    }
    await session.dispose();
  });
});
