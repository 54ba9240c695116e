import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../../daemon/engine/agreement.js';
import type { EngineProvider, Loss, SessionSpec } from '../../../daemon/engine/engine.js';
import { loadAddon } from '../../../daemon/engine/native/addon.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { madeUpBatch, type Batch } from '../../../daemon/engine/trial.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { cases, chain, noisy, untrainableInTensorFlow, wrongInTensorFlow } from './compiled/layerCases.js';
import { normals, onCpu, targets, toModel } from './compiled/tinyModels.js';
import { onnx, plain, scaled, standIn } from './standIns.js';

const here = 'addon' in loadAddon();

/** Opens both, compares on each batch, and closes both. null: one of them does not open the model. */
async function verdicts(
  [own, reference]: readonly [EngineProvider, EngineProvider],
  model: LayersModel,
  spec: SessionSpec,
  batches: (session: Awaited<ReturnType<EngineProvider['open']>>) => Batch[],
) {
  const b = await reference.open(model, spec);
  try {
    const a = await own.open(model, spec);
    try {
      const found = [];
      for (const batch of batches(a))
        found.push(await compare({ traits: own, session: a }, { traits: reference, session: b }, batch, 'training', 'here')); // prettier-ignore
      return found;
    } finally {
      await a.dispose();
    }
  } catch (error) {
    if (error instanceof UserError && error.code === 'model-unsupported') return null;
    throw error;
  } finally {
    await b.dispose();
  }
}

describe.skipIf(!here)('right engines agree on every layer, on made-up data and on batches of numbers about 0', () => {
  beforeAll(onCpu);
  const size = 3;
  let refused = 0;
  // What the native kernels lack is listed in layers.test.ts.
  afterAll(() => expect(refused).toBeLessThanOrEqual(5));
  it.each([...cases, ...wrongInTensorFlow, ...untrainableInTensorFlow, ...noisy])(
    '%s',
    async (_name, shape, build, loss: Loss = 'meanSquaredError') => {
      await onCpu();
      const model = toModel(chain(shape, build()));
      const found = await verdicts([nativeProvider, onnx], model, { loss, batchSize: size, seed: 1, threads: 1 }, (s) => {
        const elements = (dims: readonly number[]) => dims.reduce((a, b) => a * b, size);
        const own = (seed: number): Batch => ({
          inputs: s.inputShapes.map((dims) => normals(elements(dims), seed)),
          target: targets(loss, elements(s.outputShape), s.outputShape.at(-1)!, seed + 9),
          size,
        });
        return [madeUpBatch(s, size), own(5), own(6)];
      }); // prettier-ignore
      if (!found) refused++;
      for (const verdict of found ?? []) expect(verdict).toEqual({ outcome: 'agrees', reason: '' });
    },
  );

  it.each(noisy.slice(0, 4))('TensorFlow.js draws other masks than the graph, and is not condemned for it: %s', async (_name, shape, build) => {
    await onCpu();
    const model = toModel(chain(shape, build()));
    const spec = { loss: 'meanSquaredError', batchSize: size, seed: 1, threads: 1 } as const;
    const found = await verdicts([plain, onnx], model, spec, (s) => [madeUpBatch(s, size)]);
    expect(found).toEqual([{ outcome: 'agrees', reason: '' }]);
  }); // prettier-ignore
});

/** A function of images that does not change when they are turned round: of equal maxima the graph takes the first, turned round the last. */
function turnable() {
  const { conv2d, maxPooling2d, flatten, dense } = tfl.layers;
  const model = toModel(chain([6, 6, 2], [conv2d({ filters: 2, kernelSize: 1 }), maxPooling2d({ poolSize: 6 }), flatten(), dense({ units: 3 })])); // prettier-ignore
  const whole = (name: string) => /conv.*kernel/.test(name);
  // Either channel of a pixel counts as much as the other, so pixels with different inputs are equal maxima.
  const weights = model.weights.map((weight) =>
    whole(weight.name) ? { ...weight, data: weight.data.fill(1) } : weight,
  );
  return { ...model, weights };
}

/** Pixels that are (1, 0) and (0, 1) in turns, in another order in each image. */
function tied(size: number): Batch {
  const random = createRandom(3);
  const pixels = Array.from({ length: size * 36 }, () => (random.next() < 0.5 ? [1, 0] : [0, 1]));
  return { inputs: [Float32Array.from(pixels.flat())], target: normals(size * 3, 4), size };
}

const turned = (images: Float32Array): Float32Array => {
  const result = new Float32Array(images.length);
  for (let image = 0; image < images.length; image += 72)
    for (let pixel = 0; pixel < 36; pixel++)
      result.set(images.subarray(image + 2 * pixel, image + 2 * pixel + 2), image + 2 * (35 - pixel));
  return result;
};

describe('ill-conditioned networks and ties', () => {
  const ties = 8;
  it('a difference that other weights close by do not show condemns nobody', async () => {
    const model = buildArchitecture('lenet300', 1);
    const spec = { loss: 'categoricalCrossentropy', batchSize: ties, seed: 1, threads: 1 } as const;
    let steps = 0;
    // Of equal maxima the other one takes the gradient: in the batch at hand, with the weights at hand.
    const atTies = standIn({
      id: 'ties',
      step: (step, session, inputs) => (steps++ === 0 ? scaled('fc1/kernel', 1.2)(step, session, inputs) : step),
    });
    const found = await verdicts([atTies, onnx], model, spec, (s) => [madeUpBatch(s, ties)]);
    expect(found![0]!.outcome).toBe('agrees');
    expect(steps).toBeGreaterThan(1);
  });

  it('an engine whose pooling gives the gradient to the last of equal maxima is as right as one that gives it to the first', async () => {
    await onCpu();
    const size = 5;
    const spec = { loss: 'meanSquaredError', batchSize: size, seed: 1, threads: 1 } as const;
    const model = turnable();
    const last = standIn({ id: 'last', input: turned });
    const [a, b] = [await last.open(model, spec), await onnx.open(model, spec)];
    const { inputs, target } = tied(size);
    const [own, first] = [await a.gradient(inputs, target), await b.gradient(inputs, target)];
    // It is another gradient, by far more than rounding.
    expect(own.loss).toBeCloseTo(first.loss, 6);
    expect(Math.max(...own.gradient.map((g, i) => Math.abs(g - first.gradient[i]!)))).toBeGreaterThan(0.05);
    const verdict = await compare({ traits: last, session: a }, { traits: onnx, session: b }, tied(size), 'training', 'here'); // prettier-ignore
    expect(verdict).toEqual({ outcome: 'agrees', reason: '' });
    await a.dispose();
    await b.dispose();
  });

  it('the same difference with every weights does', async () => {
    const model = buildArchitecture('lenet300', 1);
    const spec = { loss: 'categoricalCrossentropy', batchSize: ties, seed: 1, threads: 1 } as const;
    const wrong = standIn({ id: 'wrong', step: scaled('fc1/kernel', 1.01) });
    const found = await verdicts([wrong, onnx], model, spec, (s) => [madeUpBatch(s, ties)]);
    expect(found![0]).toEqual({
      outcome: 'differs',
      reason: 'it differs from onnx-cpu here: the gradient of "fc1/kernel" by 1%',
    });
  });

  it.skipIf(!here)(
    'a deep network with batch normalisation of a few samples, whose gradients rounding moves',
    async () => {
      for (const seed of [1, 2, 3]) {
        const spec = { loss: 'categoricalCrossentropy', batchSize: 2, seed: 1, threads: 2 } as const;
        const found = await verdicts([nativeProvider, onnx], buildArchitecture('resnet20', seed), spec, (s) => [
          madeUpBatch(s, 2),
        ]);
        expect(found).toEqual([{ outcome: 'agrees', reason: '' }]);
      }
    },
    120_000,
  );

  it('a difference that rounding makes of the reference, too, condemns nobody, however often it is seen', async () => {
    await onCpu();
    // Two samples that are almost the same: what normalisation divides by is almost 0, and rounding is much of it.
    const { dense, batchNormalization } = tfl.layers;
    const model = toModel(chain([8], [dense({ units: 6 }), batchNormalization({ epsilon: 1e-14 }), dense({ units: 2 })])); // prettier-ignore
    const spec = { loss: 'meanSquaredError', batchSize: 2, seed: 1, threads: 1 } as const;
    const one = normals(8, 7);
    const inputs = [Float32Array.from([...one, ...normals(8, 8).map((d, i) => one[i]! + 1e-5 * d)])];
    const batch = { inputs, target: normals(4, 9), size: 2 };
    const random = createRandom(4);
    // Correct, but for the last bit of its inputs.
    const rounding = standIn({ id: 'rounding', input: (x) => x.map((v) => v * (1 + 2 ** -24 * random.normal())) });
    const [a, b] = [await rounding.open(model, spec), await onnx.open(model, spec)];
    const norm = (values: Float32Array) => Math.hypot(...values);
    for (let i = 0; i < 4; i++) {
      const [own, first] = [await a.gradient(inputs, batch.target), await b.gradient(inputs, batch.target)];
      expect(norm(own.gradient.map((g, i) => g - first.gradient[i]!)) / norm(first.gradient)).toBeGreaterThan(2e-3);
    }
    expect(await compare({ traits: rounding, session: a }, { traits: onnx, session: b }, batch, 'training', 'here')).toEqual({ outcome: 'agrees', reason: '' }); // prettier-ignore
    await a.dispose();
    await b.dispose();
  });

  it('leaves weights and generators as they were', async () => {
    const model = buildArchitecture('lenet300', 1);
    const spec = { loss: 'categoricalCrossentropy', batchSize: 4, seed: 1, threads: 1 } as const;
    const [wrong, a, b] = [standIn({ id: 'wrong' }), await onnx.open(model, spec), await onnx.open(model, spec)];
    b.setRandomState([5, 6, 7, 8]);
    const before = [await a.getWeights(), await b.getWeights(), a.getRandomState(), b.getRandomState()];
    let steps = 0;
    const own = new Proxy(a, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (key === 'gradient') return async (...batch: Parameters<typeof a.gradient>) => (steps++, { ...(await a.gradient(...batch)), loss: 1 }); // prettier-ignore
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const verdict = await compare({ traits: wrong, session: own }, { traits: onnx, session: b }, madeUpBatch(a, 4), 'training', 'here'); // prettier-ignore
    expect(verdict.outcome).toBe('differs');
    expect(steps).toBe(4);
    expect([await a.getWeights(), await b.getWeights(), a.getRandomState(), b.getRandomState()]).toEqual(before);
    await a.dispose();
    await b.dispose();
  });
});
