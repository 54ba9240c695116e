/**
 * Networks with masks against Keras 3.15 itself (test/fixtures/keras/masks): outputs, the loss in evaluation and in training, and
 * the outputs after one step of SGD, which has the gradient of every weight in it.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import { trainingSetup } from '../../../../daemon/model/setup/trainingSetup.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { onCpu } from '../compiled/tinyModels.js';
import { kerasNetworks, readNetwork, type KerasNetwork } from './kerasNetworks.js';

/** Output of masks.py. */
const RATE = 0.125;
const engines: EngineProvider[] = [
  nativeProvider,
  compiledProvider('cpu'),
  directProviders(['.']).find(({ id }) => id === 'tfjs-cpu')!,
];

/** Cases that are refused, with the reason. */
const refused: Readonly<Record<string, RegExp>> = {
  'LSTM, zero_output_for_mask, unrolled': /gives zeros at masked steps with unroll=True/,
  'Bidirectional, unrolled': /gives zeros at masked steps with unroll=True/,
};

const close = (what: string, found: ArrayLike<number>, expected: readonly number[]): void => {
  expect(found.length, what).toBe(expected.length);
  const off = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
  expect(off, what).toBeLessThan(1e-4);
};

async function check(engine: EngineProvider, case_: KerasNetwork): Promise<void> {
  const model = await readNetwork(case_);
  const setup = trainingSetup(model);
  const inputs = case_.inputs.map((values) => Float32Array.from(values));
  const target = Float32Array.from(case_.target);
  const { classWeights, samples: batchSize } = case_;
  const session = await engine.open(model, { ...setup, batchSize, seed: 0, ...(classWeights && { classWeights }) });
  try {
    const predict = () => session.predict(inputs, batchSize);
    close('outputs', await predict(), case_.output);
    const source = {
      size: batchSize,
      read(start: number, count: number, into: readonly Float32Array[], expected: Float32Array) {
        const part = (values: Float32Array) => values.subarray((start * values.length) / batchSize, ((start + count) * values.length) / batchSize); // prettier-ignore
        inputs.forEach((values, i) => into[i]!.set(part(values)));
        expected.set(part(target));
      },
    };
    close('loss', [(await session.evaluate(source)).loss], [case_.loss]);
    let trained = NaN;
    await session.train({
      batches: {
        next(into, expected) {
          inputs.forEach((values, i) => into[i]!.set(values));
          expected.set(target);
        },
      },
      steps: 1,
      learningRate: () => RATE,
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
      onStep: (_, loss) => (trained = loss),
    });
    close('loss in training', [trained], [case_.trainingLoss]);
    close('outputs after a step', await predict(), case_.outputAfter);
  } finally {
    await session.dispose();
  }
}

beforeEach(onCpu);

describe('masks as Keras has them', () => {
  it.each(kerasNetworks)('$id', async (case_) => {
    for (const engine of engines) {
      await onCpu();
      const reason = refused[case_.id];
      const done = check(engine, case_);
      if (reason) await expect(done, engine.id).rejects.toThrow(reason);
      else
        await done.catch((error: unknown) => {
          throw new Error(`${engine.id}: ${(error as Error).message}`, { cause: error });
        });
      if (reason) await done.catch((error: unknown) => expect(error).toBeInstanceOf(UserError));
    }
  });
});
