/** Budgets of whole units: the file without the removed units has just as many FLOPs, weights and channels as the plan asks for. */
import * as tfl from '@tensorflow/tfjs-layers';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkBudgets } from '../../../daemon/export/budgetChecks.js';
import { thin } from '../../../daemon/export/thin.js';
import type { Budget } from '../../../daemon/protocol/plan.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import type { Model } from '../../../daemon/model/model.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { previewBudget } from '../../../daemon/plan/previewBudget.js';
import { network, projected, prunableNames, through, viewsOf, type Symbolic } from './wholeUnits.js';

const L = tfl.layers;
const same = { kernelSize: 3, padding: 'same', useBias: false } as const;
const pooled = () => [L.globalAveragePooling2d({}), L.dense({ units: 4, activation: 'softmax', name: 'answer' })];
const normal = (x: Symbolic, filters: number, name: string) =>
  through(x, L.conv2d({ filters, name, ...same }), L.batchNormalization(), L.reLU());

/** A residual block; its first convolution has channels of its own. */
function block(x: Symbolic, filters: number, inner: number, name: string): Symbolic {
  const second = through(normal(x, inner, `${name}_1`), L.conv2d({ filters, name: `${name}_2`, ...same }), L.batchNormalization()); // prettier-ignore
  const there = x.shape.at(-1) === filters ? x : through(x, L.conv2d({ filters, kernelSize: 1, name: `${name}_down` }));
  return through(L.add().apply([second, there]) as Symbolic, L.reLU());
}

const fixtures = resolve('test/fixtures/onnx');
const ofFile = (name: string) => async (): Promise<Model> => readModel(join(fixtures, `${name}.onnx`), { workspace: fixtures }); // prettier-ignore

const MODELS: Record<string, () => Model | Promise<Model>> = {
  MLP: () => network([12], (x) => through(x, L.dense({ units: 30, activation: 'relu' }), L.dense({ units: 20, activation: 'sigmoid' }), L.dense({ units: 4 }))),
  'residual convolutions': () => network([8, 8, 3], (x) => through(block(block(normal(x, 12, 'stem'), 12, 16, 'a'), 20, 10, 'b'), ...pooled())),
  'depthwise convolutions': () => network([8, 8, 3], (x) => through(normal(x, 12, 'stem'), L.depthwiseConv2d({ ...same, name: 'd1' }), L.reLU(), L.conv2d({ filters: 24, kernelSize: 1 }),
    L.depthwiseConv2d({ ...same, depthMultiplier: 2 }), L.separableConv2d({ filters: 10, ...same }), ...pooled())),
  concatenations: () => network([8, 8, 3], (x) => {
    const a = normal(x, 10, 'a');
    const b = normal(L.concatenate().apply([x, a]) as Symbolic, 14, 'b');
    return through(L.concatenate().apply([x, a, b]) as Symbolic, L.conv2d({ filters: 9, kernelSize: 1 }), L.flatten(), L.dense({ units: 16, activation: 'relu' }), L.dense({ units: 4 }));
  }),
  'ONNX, residual, with BatchNorm': ofFile('mnist-cnn'),
  'ONNX, depthwise and transposed': ofFile('zoo/depthwise.eval'),
  'ONNX, concatenations': ofFile('zoo/unet.eval'),
  'ONNX, LSTM': ofFile('zoo/bilstm.eval'),
  'ONNX, attention': ofFile('zoo/transformer.eval.fixed'),
}; // prettier-ignore

/** FLOPs and weights of the prunable kernels. */
function sizesOf(model: Model): { flops: number; weights: number } {
  const kernels = summarizeModel(model).flatMap(({ weights }) => weights.filter(({ prunable }) => prunable));
  return {
    flops: kernels.reduce((sum, { size, flopsPerWeight = 0 }) => sum + size * flopsPerWeight, 0),
    weights: kernels.reduce((sum, { size }) => sum + size, 0),
  };
}

/** For each layer: the model without the units that are 0 in `pruned`, but with one of these. */
function* withOneMore(from: Model, pruned: Model): Generator<Model> {
  const values = new Map(pruned.weights.map(({ name, data }) => [name, data]));
  const views = viewsOf(from, { neurons: 1 });
  const removed = new Set<number>();
  const kept = new Set<number>();
  const entries = views.flatMap(({ view, weights }) => weights.map((name) => ({ view, name })));
  for (const { view, name } of entries)
    values.get(name)!.forEach((x, i) => {
      const group = view.groups![i % view.units!]!;
      if (group >= 0) (x === 0 ? removed : kept).add(group);
    });
  // One of each layer stands for the others.
  const gone = new Set(views.flatMap(({ view }) => view.groups!.find((group) => removed.has(group) && !kept.has(group)) ?? [])); // prettier-ignore
  const given = new Map(from.weights.map(({ name, data }) => [name, data]));
  for (const one of gone)
    yield withWeights(
      from,
      new Map(
        entries.map(({ view, name }) => [
          name,
          given.get(name)!.map((x, i) => {
            const group = view.groups![i % view.units!]!;
            return group < 0 || kept.has(group) || group === one ? x : 0;
          }),
        ]),
      ),
    );
}

const check = (model: Model, budget: Budget) =>
  checkBudgets(model, [{ name: 'all', layers: prunableNames(model), budget }], 0, () => true);

describe.each(Object.keys(MODELS))('%s', (name) => {
  // One filter of each layer is almost half of this one.
  const tight = name.includes('transposed') ? 0.5 : 0.3;
  it.each([
    ['flops', tight],
    ['flops', 0.6],
    ['keep', tight],
  ] as const)('%s of %d: the thinned file has as much, and no other unit fits', async (kind, share) => {
    const model = await MODELS[name]!();
    const budget = { [kind]: share, prune: 'neurons' } as Budget;
    const { model: pruned, cost } = projected(model, budget);
    const of = (one: Model) => sizesOf(one)[kind === 'flops' ? 'flops' : 'weights'];
    const dense = of(model);
    const thinned = of(thin(pruned).model);
    expect(thinned).toBeLessThanOrEqual(Math.ceil(share * dense));
    expect(thinned).toBe(cost);
    for (const more of withOneMore(model, pruned)) expect(of(thin(more).model)).toBeGreaterThan(share * dense);
    // What the preview shows and what the written file is checked for.
    expect(check(pruned, budget)).toMatchObject([{ got: thinned, met: true }]);
    const weights = new Map(model.weights.map((weight) => [weight.name, weight.data]));
    const preview = previewBudget({ layers: summarizeModel(model), weights }, budget);
    expect(preview.flopsShare).toBeCloseTo(sizesOf(thin(pruned).model).flops / sizesOf(model).flops, 9);
  });
});

it.each(['residual convolutions', 'ONNX, residual, with BatchNorm', 'ONNX, LSTM'])('%s: multiples of 4 in the thinned file', async (name) => {
  const model = await MODELS[name]!();
  for (const goal of [{ flops: '50%', prune: 'neurons' }, { neurons: '40%' }, { keep: '30%', prune: 'neurons' }] as const) {
    const budget: Budget = { ...goal, roundTo: 4 };
    const { model: pruned } = projected(model, budget);
    const thinned = new Map(thin(pruned).model.weights.map(({ name: weight, shape }) => [weight, shape]));
    for (const { view, weights: [kernel] } of viewsOf(model, budget))
      for (const { axis, groups } of view.axes ?? []) {
        if (groups.some((group) => group < 0)) continue;
        const left = thinned.get(kernel!)![axis]!;
        expect(left % 4 === 0 || left === groups.length, `${kernel} [${axis}]: ${left} of ${groups.length}`).toBe(true);
      }
    const checks = check(pruned, budget);
    expect(checks.map(({ met }) => met)).toEqual([true, true]);
    expect(checks[1]).toMatchObject({ kind: 'roundTo', asked: 'multiples of 4', limit: 0, got: 0 });
    if (!name.includes('residual')) continue;
    const broken = projected(pruned, { neurons: 5 }).model;
    expect(check(broken, budget)[1]).toMatchObject({ got: expect.any(Number) as number, met: false });
  }
}); // prettier-ignore
