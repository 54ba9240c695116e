/** GRU with reset_after=True under masks and with dropouts, on every engine. Its numbers are in the matrix of layers. */
import { describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { builtModel } from '../../export/builtModel.js';

const UNITS = 4;
const RATE = 0.25;
const layer = (class_name: string, config: object) => ({ class_name, config: { trainable: true, ...config } });
const gru = (more: object = {}) =>
  layer('GRU', {
    name: 'g',
    units: UNITS,
    activation: 'tanh',
    recurrent_activation: 'sigmoid',
    reset_after: true,
    use_bias: true,
    ...more,
  });
const sequential = (...layers: object[]) => ({ class_name: 'Sequential', config: { name: 'm', layers } });

const engines = [nativeProvider, compiledProvider('cpu'), directProviders([])[3]].map(
  (engine) => [engine.id, engine] as const,
);

async function open(engine: EngineProvider, model: LayersModel, batchSize: number, purpose: 'inference' | 'training') {
  return engine.open(model, { loss: 'meanSquaredError', classification: false, batchSize, purpose, seed: 3 });
}

async function outputs(engine: EngineProvider, model: LayersModel, inputs: readonly number[]): Promise<number[]> {
  const session = await open(engine, model, 1, 'inference');
  try {
    return [...(await session.predict([Float32Array.from(inputs)], 1))];
  } finally {
    await session.dispose();
  }
}

const text = (length: number, more: object) =>
  sequential(
    layer('Embedding', { name: 'e', input_dim: 9, output_dim: 3, mask_zero: true, input_length: length }),
    gru(more),
  );
const both = (length: number) =>
  sequential(
    layer('Embedding', { name: 'e', input_dim: 9, output_dim: 3, mask_zero: true, input_length: length }),
    layer('Bidirectional', { name: 'b', merge_mode: 'concat', layer: gru() }),
  );

describe.each(engines)('a GRU with reset_after under masks on %s', (_id, engine) => {
  const named = {
    forwards: (n: number) => text(n, {}),
    backwards: (n: number) => text(n, { go_backwards: true }),
    'both ways': both,
  };
  it.each(Object.entries(named))('passes over padding and gaps, %s', async (_name, topology) => {
    // Weights are drawn in order, so the length does not change them.
    const [whole, padded] = [builtModel(topology(3)), builtModel(topology(6))];
    expect(padded.weights).toEqual(whole.weights);
    const expected = await outputs(engine, whole, [3, 7, 5]);
    for (const tokens of [
      [3, 7, 5, 0, 0, 0],
      [0, 0, 0, 3, 7, 5],
      [3, 0, 7, 0, 0, 5],
    ])
      (await outputs(engine, padded, tokens)).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  });
});

type Gates = readonly [z: number, r: number, h: number];
/** [size, 3 * size]: for each gate so many times the identity. */
const diagonals = (size: number, gates: Gates): Float32Array =>
  Float32Array.from({ length: 3 * size * size }, (_, i) =>
    i % size === Math.floor(i / (3 * size)) ? gates[Math.floor((i % (3 * size)) / size)]! : 0,
  );
const rows = (gates: Gates): number[] => gates.flatMap((value) => Array<number>(UNITS).fill(value));

/** Both kernels pass each number to its own unit; gates are open (50) or shut (-50) by the bias. */
function passing(more: object, steps: number, kernel: Gates, recurrent: Gates, bias: Gates): LayersModel {
  const topology = sequential(
    layer('InputLayer', { name: 'in', batch_shape: [null, steps, UNITS] }),
    gru({ activation: 'linear', ...more }),
  );
  const model = builtModel(topology);
  const values: Record<string, Float32Array> = {
    'g/kernel': diagonals(UNITS, kernel),
    'g/recurrent_kernel': diagonals(UNITS, recurrent),
    'g/bias': Float32Array.from([...rows(bias), ...rows([0, 0, 0])]),
  };
  return { ...model, weights: model.weights.map((weight) => ({ ...weight, data: values[weight.name]! })) };
}

const BATCH = 16;
/** The mean of the squared outputs in training; the input is the same for every sample and unit. */
async function meanSquare(engine: EngineProvider, model: LayersModel, perStep: readonly number[]): Promise<number> {
  const session = await open(engine, model, BATCH, 'training');
  const inputs = Float32Array.from(
    { length: BATCH * perStep.length * UNITS },
    (_, i) => perStep[Math.floor(i / UNITS) % perStep.length]!,
  );
  const size = BATCH * session.outputShape.reduce((a, b) => a * b, 1);
  const { loss } = await session.gradient([inputs], new Float32Array(size));
  await session.dispose();
  return loss;
}

/** Each unit of each sample either stays, scaled, or is 0. */
function expectDropped(meanOfSquares: number, kept = (1 / (1 - RATE)) ** 2): void {
  const count = (1 - meanOfSquares / kept) * BATCH * UNITS;
  expect(Math.abs(count - Math.round(count))).toBeLessThan(1e-2);
  expect(count / (BATCH * UNITS)).toBeGreaterThan(0.05);
  expect(count / (BATCH * UNITS)).toBeLessThan(0.5);
}

describe.each(engines)('a GRU with reset_after and dropouts on %s', (_id, engine) => {
  it('drops inputs, the same ones at every step', async () => {
    const model = passing({ dropout: RATE, return_sequences: true }, 3, [0, 0, 1], [0, 0, 0], [-50, 0, 0]);
    expectDropped(await meanSquare(engine, model, [1, 1, 1]));
  });

  it('drops the state that the candidate reads', async () => {
    // The second step reads nothing but the state of the first.
    const model = passing({ recurrent_dropout: RATE }, 2, [0, 0, 1], [0, 0, 1], [-50, 50, 0]);
    expectDropped(await meanSquare(engine, model, [1, 0]));
  });

  it('has a mask for each gate where states are dropped', async () => {
    // Where the mask of z drops a state of 50, the unit is half of it; the candidate is 0.
    const model = passing({ recurrent_dropout: RATE }, 2, [0, 0, 1], [1, 0, 0], [0, 0, 0]);
    // First step: z = 1/2 of 0, and half of the candidate 100.
    const found = await meanSquare(engine, model, [100, 0]);
    const [stays, dropped] = [50 ** 2, 25 ** 2];
    const count = ((stays - found) / (stays - dropped)) * BATCH * UNITS;
    expect(Math.abs(count - Math.round(count))).toBeLessThan(1e-2);
    expect(count / (BATCH * UNITS)).toBeGreaterThan(0.05);
    expect(count / (BATCH * UNITS)).toBeLessThan(0.5);
  });
}); // prettier-ignore
