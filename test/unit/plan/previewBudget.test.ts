import { describe, expect, it } from 'vitest';
import { fileFormatOf } from '../../../daemon/export/sparse/packageFormat.js';
import { writeSparsePackage } from '../../../daemon/export/sparse/sparsePackage.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayerSummary } from '../../../daemon/model/model.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { previewBudget } from '../../../daemon/plan/previewBudget.js';

const model = buildArchitecture('lenet300', 7);
const LENET_KERNELS = ['fc1/kernel', 'fc2/kernel', 'fc3/kernel'];
const lenet = {
  layers: summarizeModel(model),
  weights: new Map(model.weights.map((weight) => [weight.name, weight.data])),
};

/** Two layers of known weights: 4 of cost 2 each, 2 of cost 20 each. */
const layer = (name: string, size: number, flopsPerWeight: number): LayerSummary => ({
  name,
  className: 'Dense',
  outputShape: [1],
  weights: [{ name: `${name}/kernel`, shape: [size, 1], size, prunable: true, trainable: true }],
  params: size,
  prunable: size,
  flops: size * flopsPerWeight,
  flopsPerWeight,
});
const tiny = {
  layers: [layer('a', 4, 2), layer('b', 2, 20)],
  weights: new Map([
    ['a/kernel', new Float32Array([9, -8, 1, 2])],
    ['b/kernel', new Float32Array([-7, 3])],
  ]),
};

describe('previewBudget', () => {
  it('says what 1% of LeNet300 is', () => {
    const preview = previewBudget(lenet, { keep: '1%' });
    expect(preview).toMatchObject({
      kappa: 2662,
      prunable: 266_200,
      problem: null,
      bytes: 6 * 2662 + 4 * (301 + 101 + 11),
    });
    expect(preview.text).toMatch(/^1% = 2,662 weights, about 17.2 kB sparse, [\d.]+% of the FLOPs$/);
  });

  it('counts the FLOPs of the weights that magnitude keeps', () => {
    // The three largest: 9, -8 (cost 2 each) and -7 (cost 20), of 4 * 2 + 2 * 20.
    expect(previewBudget(tiny, { weights: 3 })).toMatchObject({ kappa: 3, flopsShare: 24 / 48 });
    expect(previewBudget(tiny, { weights: 3 }, ['b'])).toMatchObject({ kappa: 3, prunable: 4, flopsShare: 6 / 8 });
    expect(previewBudget(tiny, { keep: '50%', scope: 'layer' })).toMatchObject({ kappa: 3, flopsShare: 24 / 48 });
  });

  it('names layers that the budget has no room for', () => {
    expect(previewBudget(lenet, { neurons: 1 }).text).toMatch(
      /; the budget leaves no room to keep a part of each layer: "fc2" may be emptied, which cuts the network$/,
    );
    expect(previewBudget(lenet, { neurons: 2 }).text).not.toMatch(/room/);
  });

  it('knows kappa, not FLOPs, without the weights', () => {
    const preview = previewBudget({ ...tiny, weights: null }, { keep: 0.5 });
    expect(preview).toMatchObject({ kappa: 3, flopsShare: null });
    expect(preview.text).toBe('50% = 3 weights, about 34 B sparse');
  });

  it('says that a penalty is known after the run only', () => {
    const preview = previewBudget(tiny, { alpha: 1e-5 });
    expect(preview).toMatchObject({ kappa: null, bytes: null, flopsShare: null, problem: null });
    expect(preview.text).toMatch(/after the run/);
  });

  it.each([
    [{ weights: 7 }, /the most is 6/],
    [{ weights: 0 }, /the least is 1/],
    [{ keep: 0 }, /keeps nothing/],
    [{}, /asks for nothing/],
  ])('names the problem of %j', (budget, problem) => {
    expect(previewBudget(tiny, budget).problem).toMatch(problem);
  });

  it('counts the bytes of the file that the direct compression would make', () => {
    const preview = previewBudget({ ...lenet, format: fileFormatOf(model) }, { bytes: '8 kB' });
    expect(preview.bytes).toBeLessThanOrEqual(8192);
    expect(preview.bytes).toBeGreaterThan(8192 - 8);
    const flat = LENET_KERNELS.flatMap((name) => [...lenet.weights.get(name)!]);
    const threshold = flat.map(Math.abs).sort((a, b) => b - a)[preview.kappa! - 1]!;
    const pruned = LENET_KERNELS.map(
      (name) => [name, lenet.weights.get(name)!.map((x) => (Math.abs(x) >= threshold ? x : 0))] as const,
    );
    // Biases that are not all 0, as after training.
    const random = createRandom(1);
    const biases = model.weights.filter(({ shape }) => shape.length === 1);
    const vectors = biases.map(({ name, data }) => [name, data.map(() => random.normal())] as const);
    const written = writeSparsePackage(withWeights(model, new Map([...pruned, ...vectors])));
    expect(written.length).toBe(preview.bytes);
  });

  it('counts neurons and filters, and the FLOPs that are left', () => {
    const lenet5 = buildArchitecture('lenet5', 1);
    const layers = summarizeModel(lenet5);
    const weights = new Map(lenet5.weights.map((weight) => [weight.name, weight.data]));
    const preview = previewBudget({ layers, weights, format: fileFormatOf(lenet5) }, { neurons: '50%' });
    expect(preview).toMatchObject({ problem: null, prunable: 430_500 });
    expect(preview.text).toMatch(/^50% of the neurons = 285 neurons, [\d,]+ weights, about [\d.]+ (kB|MB) sparse/);
    expect(preview.flopsShare).toBeLessThan(1);
  });

  it('counts what a fan-in leaves', () => {
    // 300 neurons with 20 of 784 inputs, 100 with 20 of 300, 10 with 20 of 100.
    const { text, kappa } = previewBudget(lenet, { fanIn: 20 });
    expect(kappa).toBe(410 * 20);
    expect(text).toMatch(/^at most 20 inputs a neuron = 8,200 weights, about [\d.]+ kB sparse, [\d.]+% of the FLOPs$/);
  });

  it('has nothing to prune when every layer is excluded', () => {
    expect(previewBudget(tiny, { keep: '1%' }, ['a', 'b']).problem).toMatch(/no prunable layer/);
  });
});
