/**
 * Layers that drop values in training, against Keras's definitions (keras.io/api/layers/regularization_layers): each value
 * becomes one of two, which the mean of squares counts.
 */
import { describe, expect, it } from 'vitest';
import { compiledProvider } from '../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../daemon/engine/engine.js';
import { nativeProvider } from '../../daemon/engine/native/provider.js';
import { normaliseTopology } from '../../daemon/model/normalise/normalise.js';

const RATE = 0.25;
const BATCH = 8;
const scaled = 1 / (1 - RATE);

/** AlphaDropout's affine map: a (x or -1.7581) + b keeps a mean of 0 and a variance of 1 (Klambauer et al. 2017, section 3). */
const least = -1.0507009873554805 * 1.6732632423543772;
const a = ((1 - RATE) * (1 + RATE * least ** 2)) ** -0.5;
const b = -a * least * RATE;

interface Case {
  readonly name: string;
  readonly className: string;
  readonly shape: readonly number[];
  readonly config?: object;
  /** The value that 1 becomes if it is kept, and if it is dropped. */
  readonly becomes: readonly [kept: number, dropped: number];
  /** Number of values that are dropped together. */
  readonly together: number;
}

const plain: readonly [number, number] = [scaled, 0];
const cases: readonly Case[] = [
  { name: 'Dropout', className: 'Dropout', shape: [5, 4], becomes: plain, together: 1 },
  { name: 'Dropout with a noise_shape', className: 'Dropout', shape: [5, 4], config: { noise_shape: [null, 1, 4] }, becomes: plain, together: 5 },
  { name: 'SpatialDropout1D', className: 'SpatialDropout1D', shape: [5, 4], becomes: plain, together: 5 },
  { name: 'SpatialDropout2D', className: 'SpatialDropout2D', shape: [3, 2, 4], becomes: plain, together: 6 },
  { name: 'SpatialDropout2D, channels first', className: 'SpatialDropout2D', shape: [4, 3, 2], config: { data_format: 'channels_first' }, becomes: plain, together: 6 },
  { name: 'SpatialDropout3D', className: 'SpatialDropout3D', shape: [2, 3, 2, 4], becomes: plain, together: 12 },
  { name: 'AlphaDropout', className: 'AlphaDropout', shape: [5, 4], becomes: [a + b, a * least + b], together: 1 },
]; // prettier-ignore

const sizeOf = (shape: readonly number[]): number => shape.reduce((x, y) => x * y, 1);

/** The mean of the squared outputs in training, of values that are all 1. */
async function meanSquare({ className, shape, config = {} }: Case, engine: EngineProvider): Promise<number> {
  const units = shape.at(-1)!;
  const layers = [
    { class_name: 'InputLayer', config: { name: 'in', batch_shape: [null, ...shape] } },
    // What has no weights cannot be trained.
    { class_name: 'Dense', config: { name: 'same', units, use_bias: false, activation: 'linear' } },
    { class_name: className, config: { name: 'drop', rate: RATE, ...config } },
  ];
  const { topology } = normaliseTopology({ class_name: 'Sequential', config: { name: 'net', layers } }, 'net', true);
  const data = Float32Array.from({ length: units * units }, (_, i) => (i % (units + 1) === 0 ? 1 : 0));
  const weights = [{ name: 'same/kernel', shape: [units, units], dtype: 'float32' as const, data }];
  const model = { kind: 'layers' as const, format: 'keras-v3' as const, path: 'net', topology, weights, notes: [] };
  const spec = { loss: 'meanSquaredError' as const, classification: false, batchSize: BATCH, seed: 3 };
  const session = await engine.open(model, spec);
  const size = BATCH * sizeOf(shape);
  const { loss } = await session.gradient([new Float32Array(size).fill(1)], new Float32Array(size));
  await session.dispose();
  return loss;
}

describe.each([nativeProvider, compiledProvider('cpu'), directProviders([])[3]].map((engine) => [engine.id, engine] as const))('dropouts in training on %s', (_id, engine) => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const found = await meanSquare(one, engine);
    const [kept, dropped] = one.becomes.map((value) => value ** 2) as [number, number];
    const groups = (BATCH * sizeOf(one.shape)) / one.together;
    const count = ((kept - found) / (kept - dropped)) * groups;
    // A whole number of groups is dropped, about a quarter of them: neither none nor most.
    expect(Math.abs(count - Math.round(count))).toBeLessThan(1e-2);
    expect(count / groups).toBeGreaterThan(0.02);
    expect(count / groups).toBeLessThan(0.6);
  });
}); // prettier-ignore
