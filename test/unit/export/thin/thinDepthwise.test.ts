/** Neuron budgets of depthwise chains: the filters count, go with all that belongs to them, and the thinned file computes what the masked one does. */
import * as tfl from '@tensorflow/tfjs-layers';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { thin } from '../../../../daemon/export/thin.js';
import { onnxFile } from '../../../../daemon/export/writeOnnx.js';
import type { BudgetSpec } from '../../../../daemon/lc/budgets.js';
import { groupUnits } from '../../../../daemon/lc/projections/groups.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { expectSame } from '../expectSame.js';
import { network, projected, through, viewsOf, type Symbolic } from '../wholeUnits.js';

const L = tfl.layers;
const SAMPLE = [10, 10, 3] as const;
const same = { kernelSize: 3, padding: 'same' } as const;
const pooled = () => [L.globalAveragePooling2d({}), L.dense({ units: 4, activation: 'softmax', name: 'answer' })];

async function outputs(model: LayersModel): Promise<Float32Array> {
  const random = createRandom(5);
  const inputs = Float32Array.from({ length: 3 * 300 }, () => random.normal());
  const session = await ort.InferenceSession.create(await onnxFile(model), { intraOpNumThreads: 1 });
  const result = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', inputs, [3, ...SAMPLE]) });
  return result[session.outputNames[0]!]!.data as Float32Array;
}

/** The weights in a summary of a thinned model, by name. */
const shapes = (model: LayersModel) => new Map(model.weights.map(({ name, shape }) => [name, shape]));

/** The expected groups, by hand, in the order of layers. */
const NETWORKS: [name: string, classes: [layer: string, filters: number][], build: (x: Symbolic) => Symbolic][] = [
  ['MobileNet: Conv, BatchNormalization, ReLU, depthwise, BatchNormalization, PReLU, Conv', [['a', 8], ['b', 6]],
    (x) => through(x, L.conv2d({ name: 'a', filters: 8, ...same, useBias: false }), L.batchNormalization(), L.reLU({ maxValue: 6 }),
      L.depthwiseConv2d({ name: 'd', ...same, strides: 2, useBias: false }), L.batchNormalization(), L.prelu({ sharedAxes: [1, 2] } as never), L.conv2d({ name: 'b', filters: 6, kernelSize: 1 }), ...pooled())],
  ['two filters a channel, Flatten before Dense', [['a', 5], ['b', 4]],
    (x) => through(x, L.conv2d({ name: 'a', filters: 5, ...same, activation: 'relu' }), L.depthwiseConv2d({ name: 'd', ...same, depthMultiplier: 2, activation: 'relu' }),
      L.conv2d({ name: 'b', filters: 4, kernelSize: 3, strides: 2 }), L.flatten(), L.dense({ units: 4, name: 'answer' }))],
  ['Xception: separable convolutions', [['a', 8], ['b', 6], ['c', 5]],
    (x) => through(x, L.separableConv2d({ name: 'a', filters: 8, ...same, activation: 'relu' }), L.separableConv2d({ name: 'b', filters: 6, ...same, depthMultiplier: 2, useBias: false }), L.batchNormalization(),
      L.reLU(), L.separableConv2d({ name: 'c', filters: 5, kernelSize: 3, depthMultiplier: 3, activation: 'tanh' }), L.maxPooling2d({ poolSize: 2 }), ...pooled())],
  ['a residual add joins the filters of a Conv and a separable convolution', [['a', 6], ['c', 4]],
    (x) => {
      const a = through(x, L.conv2d({ name: 'a', filters: 6, ...same }));
      const b = through(a, L.depthwiseConv2d({ name: 'd', ...same, activation: 'relu' }), L.separableConv2d({ name: 'b', filters: 6, ...same }));
      return through(L.add().apply([a, b]) as Symbolic, L.reLU(), L.separableConv2d({ name: 'c', filters: 4, ...same }), ...pooled());
    }],
  ['transposed convolutions around a depthwise one', [['a', 6], ['b', 4]],
    (x) => through(x, L.conv2dTranspose({ name: 'a', filters: 6, kernelSize: 2, strides: 2 }), L.leakyReLU({ alpha: 0.1 }), L.depthwiseConv2d({ name: 'd', ...same }), L.conv2dTranspose({ name: 'b', filters: 4, ...same }), ...pooled())],
]; // prettier-ignore

describe.each(NETWORKS)('%s', (_name, classes, build) => {
  const model = network(SAMPLE, build);

  it('counts each filter once, with its depthwise filters', () => {
    const groups = groupUnits(viewsOf(model, { neurons: 1 }).map(({ view }) => view));
    expect(groups.classes).toEqual(classes.map(([name, count]) => ({ name, count })));
  });

  it.each([
    { neurons: '50%' },
    { neurons: 1 },
    { flops: '40%', prune: 'neurons' },
    { neurons: '60%', layers: { [classes[0]![0]]: { floor: '75%' } } },
  ] as BudgetSpec[])(
    '%j: the thinned file has the filters that are kept, and the outputs of the masked one',
    async (budget) => {
      // prettier-ignore
      const { model: masked } = projected(model, budget);
      const { model: thinned, layers, weights } = thin(masked);
      const total = classes.reduce((sum, [, count]) => sum + count, 0);
      const kept = classes.map(([name]) => layers.find(({ layer }) => layer === name)!.kept);
      const left = kept.reduce((a, b) => a + b, 0);
      if (budget.neurons === '50%') expect(left).toBe(Math.ceil(total / 2));
      // No layer is without units, though it is all zeros.
      if (budget.neurons === 1) expect(left).toBe(classes.length);
      if (budget.layers) expect(kept[0]).toBeGreaterThanOrEqual(Math.ceil(0.75 * classes[0]![1]));
      expect(left).toBeLessThan(total);
      expect(weights.after).toBeLessThan(weights.before);
      const second = shapes(thinned).get('c/pointwise_kernel');
      if (second && classes.length === 3) expect(second.slice(2)).toEqual([3 * kept[1]!, kept[2]]);
      const depthwise = shapes(thinned).get('d/depthwise_kernel');
      if (depthwise) expect(depthwise[2]).toBe(kept[0]);
      expectSame(await outputs(thinned), await outputs(masked), JSON.stringify(budget), 2e-5);
    },
  );
});
