import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { onnxExecutor } from '../../../../daemon/engine/compiled/onnxGraph.js';
import { CompiledSession } from '../../../../daemon/engine/compiled/session.js';
import type { SessionSpec, TrainRequest } from '../../../../daemon/engine/engine.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { normals, onCpu, targets, toModel } from './tinyModels.js';

const L = tfl.layers;
const info = { id: 'onnx-cpu', name: 'compiled', device: 'CPU' };
const runtime = { provider: 'cpu', threads: 1 } as const;
const batch = 8;

async function sequential(inputShape: number[], layers: tfl.layers.Layer[]): Promise<LayersModel> {
  await onCpu();
  const input = tfl.input({ shape: inputShape });
  const output = layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
  return toModel(tfl.model({ inputs: input, outputs: output }));
}

const open = (model: LayersModel, spec: Partial<SessionSpec> = {}) =>
  CompiledSession.open(
    info,
    model,
    { loss: 'meanSquaredError', batchSize: batch, seed: 1, ...spec },
    onnxExecutor(runtime),
  );

/** The same batch, again and again. */
function request(x: Float32Array, y: Float32Array, more: Partial<TrainRequest> = {}): TrainRequest {
  return {
    batches: {
      next: (inputs, target) => {
        inputs[0]!.set(x);
        target.set(y);
      },
    },
    steps: 5,
    learningRate: () => 0.05,
    momentum: 0.9,
    nesterov: true,
    weightDecay: 0,
    ...more,
  };
}

describe('random inputs', () => {
  it('a dropout mask has the rate, scales what it keeps, and is off in inference', async () => {
    const rate = 0.3;
    const session = await open(await sequential([400], [L.dropout({ rate }), L.dense({ units: 1, useBias: false })]));
    const ones = new Float32Array(batch * 400).fill(1);
    // One weight w_j = 1: the output counts the kept inputs; its gradient shows each column's mask.
    await session.setWeights(new Float32Array(400).fill(1));
    const { gradient } = await session.gradient([ones], new Float32Array(batch));
    const output = await session.predict([ones], batch);
    expect([...output]).toEqual(Array<number>(batch).fill(400));
    // d/dw_j mean(s^2) = mean_b 2 s_b m_bj, with s_b near 400 and m_bj 0 or 1 / (1 - rate).
    const mean = gradient.reduce((sum, g) => sum + g, 0) / 400 / 800;
    expect(mean).toBeGreaterThan(0.9);
    expect(mean).toBeLessThan(1.15);
    expect(new Set(gradient).size).toBeGreaterThan(20);
    expect((await session.gradient([ones], new Float32Array(batch))).gradient).not.toEqual(gradient);
    await session.dispose();
  });

  it('the same seed gives the same steps, another seed others; the state goes back and forth', async () => {
    const model = await sequential([6], [L.dropout({ rate: 0.5 }), L.gaussianNoise({ stddev: 0.5 }), L.gaussianDropout({ rate: 0.2 }), L.alphaDropout({ rate: 0.1 }), L.dense({ units: 4, activation: 'tanh' }), L.dropout({ rate: 0.25 }), L.dense({ units: 2 })]); // prettier-ignore
    const [x, y] = [normals(batch * 6, 3), normals(batch * 2, 4)];
    const weightsAfter = async (seed: number) => {
      const session = await open(model, { seed });
      await session.train(request(x, y));
      const weights = await session.getWeights();
      await session.dispose();
      return weights;
    };
    const first = await weightsAfter(1);
    expect(await weightsAfter(1)).toEqual(first);
    expect(await weightsAfter(2)).not.toEqual(first);

    const session = await open(model);
    await session.train(request(x, y));
    const saved = {
      random: session.getRandomState(),
      w: await session.getWeights(),
      v: await session.getVelocity(),
      s: await session.getState(),
    };
    await session.train(request(x, y));
    const straight = await session.getWeights();
    const resumed = await open(model, { seed: 99 });
    await resumed.setWeights(saved.w);
    await resumed.setVelocity(saved.v);
    await resumed.setState(saved.s);
    resumed.setRandomState(saved.random);
    await resumed.train(request(x, y));
    expect(await resumed.getWeights()).toEqual(straight);
    await session.dispose();
    await resumed.dispose();
  });

  it('Gaussian noise has its standard deviation', async () => {
    const session = await open(await sequential([2000], [L.gaussianNoise({ stddev: 0.5 }), L.dense({ units: 1, useBias: false })])); // prettier-ignore
    const zeros = new Float32Array(batch * 2000);
    const { gradient } = await session.gradient([zeros], new Float32Array(batch).fill(1000));
    // d/dw_j = mean_b 2 (s_b - 1000) n_bj, about -2000 mean_b n_bj: of deviation 2000 * 0.5 / sqrt(8).
    const deviation = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0) / 2000);
    expect(deviation / (1000 / Math.sqrt(8))).toBeGreaterThan(0.9);
    expect(deviation / (1000 / Math.sqrt(8))).toBeLessThan(1.1);
    await session.dispose();
  });
});

describe('state', () => {
  it('moving averages follow the batches with momentum, and inference uses them', async () => {
    const session = await open(await sequential([3], [L.batchNormalization({ momentum: 0.5, epsilon: 1e-3 })]));
    const x = normals(batch * 3, 8);
    const before = await session.getState();
    await session.train(request(x, new Float32Array(batch * 3), { steps: 1, learningRate: () => 0 }));
    const after = await session.getState();
    for (let j = 0; j < 3; j++) {
      const column = Array.from({ length: batch }, (_, i) => x[i * 3 + j]!);
      const mean = column.reduce((a, b) => a + b) / batch;
      const variance = column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / batch;
      expect(after[j]).toBeCloseTo(0.5 * before[j]! + 0.5 * mean, 5);
      // TensorFlow.js averages the unbiased variance.
      expect(after[3 + j]).toBeCloseTo(0.5 * before[3 + j]! + 0.5 * variance, 5);
    }
    const output = await session.predict([x], batch);
    const w = await session.getWeights();
    const at = (name: string) => session.parameters.find((p) => p.name.endsWith(name))!.offset;
    const expected = (x[0]! - after[0]!) / Math.sqrt(after[3]! + 1e-3) * w[at('gamma')]! + w[at('beta')]!; // prettier-ignore
    expect(output[0]).toBeCloseTo(expected, 4);
    await session.dispose();
  });

  it('gradient() leaves weights, velocity and state alone', async () => {
    const session = await open(await sequential([3], [L.dense({ units: 2 }), L.batchNormalization()]));
    const snapshot = async () => [await session.getWeights(), await session.getVelocity(), await session.getState()];
    const before = await snapshot();
    await session.gradient([normals(batch * 3, 1)], normals(batch * 2, 2));
    expect(await snapshot()).toEqual(before);
    await session.dispose();
  });
});

describe('training', () => {
  it('prunable weights come first, and a masked weight and its velocity stay exactly zero', async () => {
    const session = await open(await sequential([5], [L.dense({ units: 4 }), L.dense({ units: 2 })]));
    expect(session.parameters.map(({ prunable }) => prunable)).toEqual([true, true, false, false]);
    expect(session.prunableSize).toBe(28);
    const keep = Uint8Array.from({ length: session.size }, (_, i) => Number(i % 3 !== 0));
    const [x, y] = [normals(batch * 5, 1), normals(batch * 2, 2)];
    await session.train(request(x, y, { mask: { keep, ranges: [{ start: 0, end: 28 }] } }));
    const [w, v] = [await session.getWeights(), await session.getVelocity()];
    for (let i = 0; i < 28; i++) {
      expect(w[i] === 0).toBe(keep[i] === 0);
      expect(v[i] === 0).toBe(keep[i] === 0);
    }
    expect(w[28 + 2]).not.toBe(0);
    await session.dispose();
  });

  it('stops between steps when aborted, and says how many it did', async () => {
    const session = await open(await sequential([5], [L.dense({ units: 2 })]));
    const controller = new AbortController();
    const seen: number[] = [];
    const summary = await session.train(
      request(normals(batch * 5, 1), normals(batch * 2, 2), {
        steps: 100,
        signal: controller.signal,
        onStep: (i) => {
          seen.push(i);
          if (i === 2) controller.abort();
        },
      }),
    );
    expect(summary).toMatchObject({ steps: 3, aborted: true });
    expect(seen).toEqual([0, 1, 2]);
    await session.dispose();
  });

  it('a non-finite loss is an error that says so', async () => {
    const session = await open(await sequential([5], [L.dense({ units: 2 })]));
    const run = session.train(request(normals(batch * 5, 1), normals(batch * 2, 2), { steps: 200, learningRate: () => 1e6 })); // prettier-ignore
    await expect(run).rejects.toMatchObject({ code: 'diverged' });
    await session.dispose();
  });
});

describe('evaluation', () => {
  it('loss and error over more samples than a batch equal a plain count', async () => {
    const model = await sequential([4], [L.dense({ units: 3, activation: 'softmax' })]);
    const session = await open(model, { loss: 'categoricalCrossentropy' });
    const size = 1037;
    const x = normals(size * 4, 6);
    const y = targets('categoricalCrossentropy', size * 3, 3, 7);
    const result = await session.evaluate({
      size,
      read: (start, count, inputs, target) => {
        inputs[0]!.set(x.subarray(start * 4, (start + count) * 4));
        target.set(y.subarray(start * 3, (start + count) * 3));
      },
    });
    const p = await session.predict([x], size);
    let [loss, wrong] = [0, 0];
    for (let i = 0; i < size; i++) {
      const row = [...p.subarray(3 * i, 3 * i + 3)];
      const label = y.subarray(3 * i, 3 * i + 3).indexOf(1);
      loss -= Math.log(row[label]!);
      if (row.indexOf(Math.max(...row)) !== label) wrong++;
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
    expect(result).toMatchObject({ samples: size, error: wrong / size });
    expect(result.loss).toBeCloseTo(loss / size, 5);
    await session.dispose();
  });
});

describe('models that cannot be compiled', () => {
  it('names the layer and the kernel', async () => {
    await onCpu();
    const model = await sequential([4, 4, 1], [L.conv2d({ filters: 1, kernelSize: 1 }), L.centerCrop({ name: 'crop', height: 2, width: 2 }) as tfl.layers.Layer]); // prettier-ignore
    await expect(open(model)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/layer "crop".*CropAndResize/) as string,
    });
  });

  it('names the layer TensorFlow.js itself cannot compute', async () => {
    const model = await sequential(
      [4, 4, 1],
      [L.conv2d({ filters: 1, kernelSize: 1 }), L.resizing({ name: 'grow', height: 5, width: 5 }) as tfl.layers.Layer],
    );
    await expect(open(model)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/layer "grow": TensorFlow.js cannot compute it/) as string,
    });
  });

  it('a missing weight is named', async () => {
    const model = await sequential([4], [L.dense({ units: 4, name: 'fc' })]);
    await expect(open({ ...model, weights: model.weights.slice(1) })).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('fc/kernel') as string,
    });
  });

  it('leaves TensorFlow.js on the backend it had', async () => {
    const tf = await import('@tensorflow/tfjs-core');
    await onCpu();
    const session = await open(await sequential([4], [L.dense({ units: 2 })]));
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.square(tf.tensor([1, 2])).dataSync()).toEqual(Float32Array.of(1, 4));
    await session.dispose();
  });
});
