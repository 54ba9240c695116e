import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thin } from '../../../../daemon/export/thin.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import type { LayersModel, Topology } from '../../../../daemon/model/model.js';
import { expectSame } from '../expectSame.js';
import { keepShare } from '../prunedModels.js';
import { predict, randomNetwork } from '../randomNetworks.js';

const layer = (class_name: string, name: string, config: object = {}) => ({ class_name, config: { name, ...config } });
const sequential = (...layers: object[]): Topology => ({ class_name: 'Sequential', config: { name: 'm', layers } });
const tensor = (name: string, shape: number[], values: number[]) => ({
  name,
  shape,
  dtype: 'float32' as const,
  data: Float32Array.from(values),
});
const model = (topology: Topology, ...weights: ReturnType<typeof tensor>[]): LayersModel => ({
  kind: 'layers',
  format: 'tfjs-layers',
  path: '',
  topology,
  weights,
  notes: [],
});
const weight = (of: LayersModel, name: string) => of.weights.find((one) => one.name === name);

describe('thinning', () => {
  it('keeps the outputs of random pruned networks, and leaves nothing to remove', async () => {
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const { model: network, inputs, shape } = randomNetwork(seed);
        const { model: thinned, weights } = thin(network);
        removed += weights.before - weights.after;
        expectSame(await predict(thinned, inputs, shape), await predict(network, inputs, shape), `network ${seed}`);
        expect(thin(thinned).model, `network ${seed}`).toBe(thinned);
      }),
      { seed: 5, numRuns: 150, endOnFailure: true },
    );
    expect(removed).toBeGreaterThan(10_000);
  }, 180_000);

  it('folds act(bias) of a unit without inputs into the next bias, and adds that bias where there is none', () => {
    const network = model(
      sequential(
        layer('Dense', 'a', { units: 3, activation: 'sigmoid', batch_input_shape: [null, 2] }),
        layer('Dense', 'b', { units: 2, use_bias: false }),
      ),
      tensor('a/kernel', [2, 3], [1, 0, 5, 2, 0, 6]),
      tensor('a/bias', [3], [0.1, 0.2, 0.3]),
      tensor('b/kernel', [3, 2], [1, 2, 3, 4, 0, 0]),
    );
    const thinned = thin(network);
    // Unit 1 has no inputs, unit 2 no readers.
    expect(thinned.layers).toEqual([
      { layer: 'a', units: 3, kept: 1 },
      { layer: 'b', units: 2, kept: 2 },
    ]);
    expect(thinned.model.weights.map(({ name, shape, data }) => [name, shape, [...data]])).toEqual([
      ['a/kernel', [2, 1], [1, 2]],
      ['a/bias', [1], [Math.fround(0.1)]],
      ['b/kernel', [1, 2], [1, 2]],
      ['b/bias', [2], [3, 4].map((w) => Math.fround(w / (1 + Math.exp(-Math.fround(0.2)))))],
    ]);
    expect(network.weights[0]!.data).toEqual(Float32Array.of(1, 0, 5, 2, 0, 6));
  });

  it('keeps a constant filter before zero padding unless the constant is 0', () => {
    const network = (bias: number) =>
      model(
        sequential(
          layer('Conv2D', 'a', { filters: 2, kernel_size: 1, activation: 'relu', batch_input_shape: [null, 4, 4, 1] }),
          layer('Conv2D', 'b', { filters: 1, kernel_size: 2, padding: 'same' }),
        ),
        tensor('a/kernel', [1, 1, 1, 2], [1, 0]),
        tensor('a/bias', [2], [0, bias]),
        tensor('b/kernel', [2, 2, 2, 1], [1, 2, 3, 4, 5, 6, 7, 8]),
        tensor('b/bias', [1], [0]),
      );
    expect(thin(network(0.5)).layers[0]).toEqual({ layer: 'a', units: 2, kept: 2 });
    const folded = thin(network(-0.5));
    expect(folded.layers[0]).toEqual({ layer: 'a', units: 2, kept: 1 });
    expect([...weight(folded.model, 'b/kernel')!.data]).toEqual([1, 3, 5, 7]);
  });

  it('folds what Normalization makes of a constant unit, and cuts its statistics', () => {
    const network = model(
      sequential(
        layer('Dense', 'a', { units: 3, batch_input_shape: [null, 2] }),
        layer('Normalization', 'n', { axis: -1 }),
        layer('Normalization', 'one', { axis: null, invert: true, mean: 2, variance: 9 }),
        layer('Normalization', 'own', { axis: -1, mean: [0, 1, 2], variance: [1, 1, 1] }),
        layer('Dense', 'b', { units: 1 }),
      ),
      tensor('a/kernel', [2, 3], [1, 0, 0, 2, 0, 0]),
      tensor('a/bias', [3], [0, 0.5, 0.25]),
      tensor('n/mean', [3], [1, 1.5, 0.25]),
      // All samples had the same value of the last unit, so its deviation is 1e-7.
      tensor('n/variance', [3], [1, 4, 0]),
      tensor('n/count', [], [9]),
      tensor('b/kernel', [3, 1], [1, 10, 100]),
      tensor('b/bias', [1], [7]),
    );
    const thinned = thin(network).model;
    const n = (of: LayersModel) => of.weights.filter(({ name }) => name.startsWith('n/')).map(({ data }) => [...data]);
    expect(n(thinned)).toEqual([[1], [1], [9]]);
    // (0.5 - 1.5) / 2 and 0 / 1e-7, each times 3 and plus 2, less 1 and 2.
    expect([...weight(thinned, 'b/bias')!.data]).toEqual([7 + 10 * (-0.5 * 3 + 2 - 1) + 100 * (2 - 2)]);
    const configs = thinned.topology.config as { layers: { config: { mean?: unknown } }[] };
    expect(configs.layers.map(({ config }) => config.mean)).toEqual([undefined, undefined, 2, [0], undefined]);
    expect([...weight(thinned, 'b/kernel')!.data]).toEqual([1]);
  });

  it('removes a filter tied by an addition only when nobody reads any of the sum', async () => {
    const resnet = buildArchitecture('resnet20', 1);
    const sparse = keepShare(resnet, 0.004, 2);
    const thinned = thin(sparse);
    const units = new Map(thinned.layers.map(({ layer: name, kept }) => [name, kept]));
    const ties = ['stem', 'stage1_block1_conv2', 'stage1_block2_conv2', 'stage1_block3_conv2'];
    expect(new Set(ties.map((name) => units.get(name))).size).toBe(1);
    expect(thinned.weights.after).toBeLessThan(thinned.weights.before / 4);
    const random = createRandom(3);
    const inputs = Float32Array.from({ length: 2 * 32 * 32 * 3 }, () => random.normal());
    expectSame(
      await predict(thinned.model, inputs, [2, 32, 32, 3]),
      await predict(sparse, inputs, [2, 32, 32, 3]),
      'ResNet-20',
    );
  });

  it('reports the survivors of LeNet300 as a count by hand does', () => {
    const sparse = keepShare(buildArchitecture('lenet300', 1), 0.02, 4);
    const { layers, inputs } = thin(sparse);
    // By hand: a pixel survives if a surviving unit reads it; a unit survives if a survivor reads it and it has inputs.
    const [k1, k2, k3] = ['fc1', 'fc2', 'fc3'].map((name) => weight(sparse, `${name}/kernel`)!.data);
    const any = (n: number, test: (i: number) => boolean) => Array.from({ length: n }, (_, i) => i).some(test);
    const has1 = (h: number) => any(784, (i) => k1![i * 300 + h] !== 0);
    const has2 = (g: number) => any(300, (h) => k2![h * 100 + g] !== 0 && has1(h));
    const read2 = (g: number) => any(10, (o) => k3![g * 10 + o] !== 0);
    const second = Array.from({ length: 100 }, (_, g) => has2(g) && read2(g));
    const first = Array.from(
      { length: 300 },
      (_, h) => has1(h) && any(100, (g) => second[g]! && k2![h * 100 + g] !== 0),
    );
    const pixels = Array.from({ length: 784 }, (_, i) => any(300, (h) => first[h]! && k1![i * 300 + h] !== 0));
    const count = (marks: boolean[]) => marks.filter(Boolean).length;
    expect(layers.map(({ kept }) => kept)).toEqual([count(first), count(second), 10]);
    expect([...inputs[0]!.read].map(Boolean)).toEqual(pixels);
    expect(count(first)).toBeLessThan(250);
  });

  it('leaves one unit of a layer that nobody reads', () => {
    const network = model(
      sequential(layer('Dense', 'a', { units: 3, batch_input_shape: [null, 2] }), layer('Dense', 'b', { units: 2 })),
      tensor('a/kernel', [2, 3], [1, 2, 3, 4, 5, 6]),
      tensor('a/bias', [3], [1, 2, 3]),
      tensor('b/kernel', [3, 2], [0, 0, 0, 0, 0, 0]),
      tensor('b/bias', [2], [7, 8]),
    );
    const thinned = thin(network).model;
    expect(thinned.weights.map(({ shape }) => shape)).toEqual([[2, 1], [1], [1, 2], [2]]);
    expect([...weight(thinned, 'b/bias')!.data]).toEqual([7, 8]);
  });
});
