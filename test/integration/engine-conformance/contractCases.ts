/** Nets, losses and the steps of the oracle for the contract of engines. */
import { expect } from 'vitest';
import type { EngineSession, Loss, SessionSpec, TrainRequest } from '../../../daemon/engine/engine.js';
import { batches, cnn, lenet, mlp, residual, samples, type Net } from './nets.js';
import * as oracle from './oracle.js';

export const batchSize = 5;

export const losses: [Loss, string][] = [
  ['categoricalCrossentropy', 'softmax'],
  ['sparseCategoricalCrossentropy', 'softmax'],
  ['binaryCrossentropy', 'sigmoid'],
  ['meanSquaredError', 'linear'],
  ['meanSquaredError', 'softmax'],
  ['meanAbsoluteError', 'tanh'],
  ['huber', 'linear'],
];

export const nets: [string, Net][] = [
  ...losses.map(([loss, activation]): [string, Net] => [`mlp, ${loss} of ${activation}`, mlp(loss, activation)]),
  ['convolutions and normalisation', cnn()],
  ['lenet', lenet()],
  ['two inputs and a residual sum', residual()],
];

export const double = (values: Float32Array) => Float64Array.from(values);

/** Weights by name: the session's flat vector, and the model's own for those that are not in it. */
export function named(net: Net, session: EngineSession, flat: Float64Array): Map<string, Float64Array> {
  const weights = new Map(net.model.weights.map(({ name, data }) => [name, double(data)]));
  for (const { name, offset, size } of session.parameters) weights.set(name, flat.slice(offset, offset + size));
  return weights;
}

/** Loss, gradient (central differences) and moving averages after a step, of batch `seed` at `flat`. */
export function oracleStep(net: Net, session: EngineSession, flat: Float64Array, seed: number) {
  const { inputs, target } = samples(net, batchSize, seed);
  const run = (w: Float64Array) =>
    oracle.forward(net.model, named(net, session, w), inputs.map(double), batchSize, true);
  const value = (w: Float64Array) => oracle.loss(net.loss, run(w).output, double(target), batchSize);
  return { loss: value(flat), gradient: oracle.differences(value, flat), nextState: run(flat).nextState };
}

/** The largest error relative to 1 + magnitude; NaN if any is. */
export const distance = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length);
  return Array.from(expected).reduce((worst, x, i) => Math.max(worst, Math.abs(actual[i]! - x) / (1 + Math.abs(x))), 0);
};

export const settings = { momentum: 0.9, nesterov: true, weightDecay: 0 };
export const request = (net: Net, steps: number, more: Partial<TrainRequest> = {}, seed = 100): TrainRequest => ({
  batches: batches(net, batchSize, seed),
  steps,
  learningRate: () => 0.05,
  ...settings,
  ...more,
});

/** Opens a session of the engine under test for a net; it is disposed after the test. */
export type OpenSession = (net: Net, more?: Partial<SessionSpec>) => Promise<EngineSession>;
