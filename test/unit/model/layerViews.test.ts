/** Groups of units against thinning: a group that is zero is gone, with all of its units and nothing else. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thin } from '../../../daemon/export/thin.js';
import { createCompression } from '../../../daemon/lc/budgets.js';
import { seesUnits, viewLength } from '../../../daemon/lc/budgets/budgetSpec.js';
import { groupUnits } from '../../../daemon/lc/projections/groups.js';
import { UnitCosts } from '../../../daemon/lc/projections/unitCosts.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { layerViews } from '../../../daemon/model/layers/layerViews.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { builtModel } from '../export/builtModel.js';

const NEURONS = { neurons: 1 } as const;

/** Biases and normalisation of a trained network are not 0. */
function trained(architecture: Parameters<typeof buildArchitecture>[0]): LayersModel {
  const model = buildArchitecture(architecture, 3);
  const random = createRandom(4);
  const vectors = model.weights.filter(({ shape }) => shape.length === 1);
  return withWeights(model, new Map(vectors.map(({ name, data }) => [name, data.map(() => 0.5 + random.next())])));
}

function withoutGroups(model: LayersModel, names: readonly string[], removed: ReadonlySet<number>): LayersModel {
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  const zeroed = new Map<string, Float32Array>();
  for (const { view, weights } of layerViews(summarizeModel(model), names, NEURONS))
    for (const name of weights)
      zeroed.set(
        name,
        values.get(name)!.map((x, i) => (removed.has(view.groups![i % view.units!]!) ? 0 : x)),
      );
  return withWeights(model, zeroed);
}

const prunable = (model: LayersModel): string[] =>
  summarizeModel(model)
    .filter((layer) => layer.prunable > 0)
    .map(({ name }) => name);

describe('views of whole units', () => {
  const layer = (class_name: string, name: string, config: object) => ({ class_name, config: { name, ...config } });
  const network = (shape: number[], ...layers: ReturnType<typeof layer>[]): LayersModel => {
    const [first, ...rest] = layers as [ReturnType<typeof layer>, ...ReturnType<typeof layer>[]];
    const config = { ...first.config, batch_input_shape: [null, ...shape] };
    return builtModel({ class_name: 'Sequential', config: { name: 'm', layers: [{ ...first, config }, ...rest] } }, false, 3); // prettier-ignore
  };
  const out = layer('Dense', 'z', { units: 2 });
  it.each([
    ['a GRU with a bias for each product', network([4, 3], layer('GRU', 'g', { units: 5, reset_after: true }), out)],
    ['an LSTM', network([4, 3], layer('LSTM', 'l', { units: 5 }), out)],
    ['slopes at each place', network([6, 6, 2], layer('Conv2D', 'c', { filters: 4, kernel_size: 3 }), layer('PReLU', 'p', {}), layer('GlobalAveragePooling2D', 'a', {}), out)],
    ['filters and neurons', trained('lenet5')],
  ] as const)('%s: a view is as long as its weights', (_name, model) => {
    const sizes = new Map(model.weights.map(({ name, data }) => [name, data.length]));
    const views = layerViews(summarizeModel(model), prunable(model), NEURONS);
    for (const { view, weights } of views)
      expect(viewLength(view, NEURONS), weights.join()).toBe(weights.reduce((sum, name) => sum + sizes.get(name)!, 0));
    // Zeros in all that belongs to a unit, and it is gone.
    const groups = [...new Set(views.flatMap(({ view }) => view.groups!))].filter((group) => group >= 0);
    expect(groups.length).toBeGreaterThan(3);
    const { model: thinned } = thin(withoutGroups(model, prunable(model), new Set(groups.slice(0, 2))));
    const left = layerViews(summarizeModel(thinned), prunable(thinned), NEURONS);
    expect(new Set(left.flatMap(({ view }) => view.groups!).filter((group) => group >= 0)).size).toBe(groups.length - 2);
  }); // prettier-ignore
});

describe('groups of units', () => {
  it.each(['lenet300', 'lenet5', 'resnet20'] as const)(
    '%s: what is removed together is thinned away',
    (architecture) => {
      const model = trained(architecture);
      const views = layerViews(summarizeModel(model), prunable(model), NEURONS);
      const all = [...new Set(views.flatMap(({ view }) => [...view.groups!]))].filter((group) => group >= 0);
      const random = createRandom(architecture.length);
      for (let round = 0; round < 3; round++) {
        const removed = new Set(all.filter(() => random.next() < 0.3));
        const { layers } = thin(withoutGroups(model, prunable(model), removed));
        for (const { view } of views.filter((one) => one.view.size > 0)) {
          const kept = view.groups!.filter((group) => !removed.has(group)).length;
          const found = layers.find(({ layer }) => layer === view.name)!;
          expect({ layer: found.layer, kept: found.kept }).toEqual({ layer: view.name, kept: Math.max(1, kept) });
        }
      }
    },
  );

  it('filters of a transposed convolution are units, with their normalisation', async () => {
    const model = await readLayers('model.keras', { workspace: resolve('test/fixtures/keras/gan-generator') });
    const views = layerViews(summarizeModel(model), prunable(model), NEURONS);
    const groups = groupUnits(views.map(({ view }) => view));
    // Eight filters of the first; the dense layer is reshaped into eight channels, and the last layer's filter is the image.
    expect([groups.count, groups.classes]).toEqual([16, [{ name: 'dense_5', count: 8 }, { name: 'conv2d_transpose', count: 8 }]]); // prettier-ignore
    // Of its own kernel [5, 5, 8, 8], and of the last one [5, 5, 1, 8], which reads it.
    const costs = new UnitCosts(groups, 'weights');
    expect(costs.cost([8, 8]) - costs.cost([8, 7])).toBe(1600 / 8 + 25);
    const seen = views.flatMap(({ weights }) => weights).filter((name) => /^(conv2d_transpose|batch_normalization_5)\//.test(name)); // prettier-ignore
    expect(seen).toEqual(['conv2d_transpose/kernel', 'batch_normalization_5/gamma', 'batch_normalization_5/beta']);
    const removed = new Set([...new Set(views.find(({ layer }) => layer === 'conv2d_transpose')!.view.groups!)].slice(2, 5)); // prettier-ignore
    const zeroed = withoutGroups(model, prunable(model), removed);
    const kernel = zeroed.weights.find(({ name }) => name === 'conv2d_transpose/kernel')!;
    const [, , filters, channels] = kernel.shape as [number, number, number, number];
    kernel.data.forEach((x, i) => {
      const filter = Math.floor(i / channels) % filters;
      expect(x === 0).toBe(filter >= 2 && filter < 5);
    });
    expect(thin(zeroed).layers.find(({ layer }) => layer === 'conv2d_transpose')!.kept).toBe(5);
  });

  it('ResNet: the shortcuts join the filters of a stage, and of narrower stages within wider ones', () => {
    const model = trained('resnet20');
    const groups = groupUnits(layerViews(summarizeModel(model), prunable(model), NEURONS).map(({ view }) => view));
    // 9 inner convolutions of 3 x 16, 3 x 32, 3 x 64 filters, and one stream of 64 channels; the answers stay.
    expect(groups.count).toBe(3 * (16 + 32 + 64) + 64);
    expect(groups.classes).toHaveLength(10);
  });

  it('every trained vector of a removable unit is in exactly one view', () => {
    const model = trained('resnet20');
    const summary = summarizeModel(model);
    const views = layerViews(summary, prunable(model), NEURONS);
    const seen = views.flatMap(({ weights }) => weights);
    expect(new Set(seen).size).toBe(seen.length);
    const expected = summary.flatMap(({ weights }) =>
      weights.filter(({ name, prunable }) => prunable || /_bn\/(gamma|beta)$/.test(name)).map(({ name }) => name),
    );
    expect([...seen].sort()).toEqual(expected.sort());
    const lengths = views.map(({ view }) => viewLength(view, NEURONS));
    const sizes = new Map(model.weights.map(({ name, data }) => [name, data.length]));
    expect(lengths).toEqual(views.map(({ weights }) => weights.reduce((total, name) => total + sizes.get(name)!, 0)));
  });

  it('units that share a channel with a layer that is not pruned stay', () => {
    const model = trained('resnet20');
    const names = prunable(model).filter((name) => name !== 'stage1_block2_conv2');
    const views = layerViews(summarizeModel(model), names, NEURONS);
    const stem = views.find(({ view }) => view.name === 'stem')!.view;
    expect(stem.groups!.every((group) => group === -1)).toBe(true);
    const inner = views.find(({ view }) => view.name === 'stage1_block2_conv1')!.view;
    expect(inner.groups!.every((group) => group >= 0)).toBe(true);
  });

  it('budgets of weights see kernels only', () => {
    const model = trained('lenet5');
    expect(seesUnits({ keep: '1%' })).toBe(false);
    const views = layerViews(summarizeModel(model), ['conv1', 'fc2'], { keep: '1%' });
    expect(views.map(({ weights }) => weights)).toEqual([['conv1/kernel'], ['fc2/kernel']]);
    expect(views.map(({ view }) => view)).toEqual([
      { name: 'conv1', size: 500, shape: [5, 5, 1, 20], flopsPerWeight: 1152 },
      { name: 'fc2', size: 5000, shape: [500, 10], flopsPerWeight: 2 },
    ]);
  });
});

describe('N:M blocks', () => {
  const layer = (class_name: string, config: object) => ({ class_name, config: { name: class_name, ...config } });
  const viewOf = (...layers: object[]) => {
    const model = builtModel({ class_name: 'Sequential', config: { name: 'm', layers } }, false);
    const summary = summarizeModel(model);
    const [last] = summary.filter((one) => one.prunable > 0).slice(-1);
    const viewed = layerViews(summary, [last!.name], { pattern: '1:2' });
    const size = viewed[0]!.view.size;
    const theta = Float32Array.from({ length: viewed.reduce((n, { view }) => n + view.size, 0) }, (_, i) => 1 + i);
    createCompression(
      { pattern: '1:2' },
      viewed.map(({ view }) => view),
    ).project(theta, 1, theta);
    return { shape: viewed[0]!.view.shape, kept: [...theta.subarray(0, size)].map((x) => x !== 0) };
  };
  const at = (shape: readonly number[], ...index: number[]) => index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0); // prettier-ignore
  const range = (n: number) => [...Array(n).keys()];

  it('of a depthwise kernel run over the window of each filter', () => {
    for (const [className, rest] of [
      ['DepthwiseConv2D', {}],
      ['SeparableConv2D', { filters: 2 }],
    ] as const) {
      // prettier-ignore
      const { shape, kept } = viewOf(layer(className, { kernel_size: [2, 2], depth_multiplier: 2, batch_input_shape: [null, 4, 4, 3], ...rest })); // prettier-ignore
      expect(shape).toEqual([2, 2, 3, 2]);
      // The later of two neighbours is the larger.
      for (const [y, x, c, m] of range(2).flatMap((y) =>
        range(2).flatMap((x) => range(3).flatMap((c) => range(2).map((m) => [y, x, c, m]))),
      ) as [number, number, number, number][])
        // prettier-ignore
        expect(kept[at(shape, y, x, c, m)]).toBe(x === 1);
    }
  });

  it('of a transposed kernel run over the channels that a filter reads', () => {
    const { shape, kept } = viewOf(layer('Conv2DTranspose', { filters: 3, kernel_size: [1, 2], batch_input_shape: [null, 4, 4, 5] })); // prettier-ignore
    expect(shape).toEqual([1, 2, 3, 5]);
    for (const [x, o, i] of range(2).flatMap((x) => range(3).flatMap((o) => range(5).map((i) => [x, o, i]))) as [
      number,
      number,
      number,
    ][])
      // prettier-ignore
      expect(kept[at(shape, 0, x, o, i)]).toBe((x * 5 + i) % 2 === 1);
  });

  it('of an embedding run along the vector of each entry', () => {
    const { shape, kept } = viewOf(layer('Embedding', { input_dim: 4, output_dim: 3, batch_input_shape: [null, 5] }));
    expect(shape).toEqual([4, 3]);
    // A block of two, and a shorter one.
    expect(kept).toEqual(range(4).flatMap(() => [false, true, true]));
  });
});
