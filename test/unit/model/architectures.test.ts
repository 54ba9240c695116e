import { describe, expect, it } from 'vitest';
import { buildArchitecture, type Architecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { hashModel } from '../../../daemon/model/weights.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { join } from 'node:path';
import { difference, loadPlain, scratch, tf } from './tfjs.js';

/** Prunable weights: convolution and fully connected kernels, counted in the papers. */
const PRUNABLE: Record<Architecture, number> = {
  lenet300: 784 * 300 + 300 * 100 + 100 * 10,
  'lenet300-tanh': 266_200,
  lenet5: 500 + 25_000 + 400_000 + 5_000,
  resnet20: 268_336,
  resnet32: 461_872,
  resnet56: 848_944,
  resnet110: 1_719_856,
};

describe('reference architectures', () => {
  for (const [name, prunable] of Object.entries(PRUNABLE) as [Architecture, number][]) {
    it(`${name} has ${prunable} prunable weights and 10 outputs`, () => {
      const rows = summarizeModel(buildArchitecture(name, 0));
      expect(rows.reduce((sum, row) => sum + row.prunable, 0)).toBe(prunable);
      expect(rows.at(-1)!.outputShape).toEqual([10]);
    });
  }

  it('weights follow the seed', () => {
    const hash = (seed: number) => hashModel(buildArchitecture('lenet300', seed));
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
  });

  it('initial weights have the stated distributions', () => {
    const spread = (data: Float32Array) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
    const lenet = buildArchitecture('lenet300-tanh', 3).weights;
    const bound = Math.sqrt(6 / (784 + 300));
    expect(lenet[0]!.data.every((x) => Math.abs(x) <= bound)).toBe(true);
    expect(spread(lenet[0]!.data)).toBeCloseTo(bound / Math.sqrt(3), 3);
    expect(lenet[1]!.data.every((x) => x === 0)).toBe(true);
    const resnet = new Map(buildArchitecture('resnet20', 3).weights.map((w) => [w.name, w.data]));
    const last = resnet.get('stage3_block3_conv2/kernel')!;
    expect(spread(last)).toBeCloseTo(Math.sqrt(2 / (9 * 64)), 3);
    expect(resnet.get('stem_bn/gamma')!.every((x) => x === 1)).toBe(true);
    expect(resnet.get('stem_bn/moving_variance')!.every((x) => x === 1)).toBe(true);
  });

  it('the option A shortcut takes every second pixel and pads channels with zeros on both sides', async () => {
    const folder = await scratch();
    const model = buildArchitecture('resnet20', 5);
    await writeTfjsModel(model, join(folder, 'r.json'));
    const plain = await loadPlain(join(folder, 'r.json'));
    const at = (name: string) => plain.getLayer(name);
    const x = tf.randomNormal([1, 32, 32, 16], 0, 1, 'float32', 1);
    const strided = at('stage2_block1_stride').apply(x) as tf.Tensor;
    const padded = at('stage2_block1_pad').apply(strided) as tf.Tensor;
    expect(padded.shape).toEqual([1, 16, 16, 32]);
    const [a, b] = [(await x.array()) as number[][][][], (await padded.array()) as number[][][][]];
    for (let h = 0; h < 16; h += 5) {
      for (let c = 0; c < 32; c++) {
        expect(b[0]![h]![7]![c]).toBe(c < 8 || c >= 24 ? 0 : a[0]![2 * h]![14]![c - 8]);
      }
    }
  });

  it('written, read and loaded by TensorFlow.js, they are the same', async () => {
    const folder = await scratch();
    for (const name of ['lenet5', 'resnet20'] as const) {
      const model = buildArchitecture(name, 7);
      const path = join(folder, `${name}.json`);
      await writeTfjsModel(model, path);
      const again = await readModel(path, { workspace: folder });
      expect(hashModel(again)).toBe(hashModel(model));
      expect(again.notes).toEqual([]);
      const plain = await loadPlain(path);
      for (const [i, weight] of plain.getWeights().entries()) expect(weight.size, `weight ${i}`).toBeGreaterThan(0);
      const byName = new Map(model.weights.map((w) => [w.name, w.data]));
      for (const weight of plain.weights) {
        const { originalName } = weight as unknown as { originalName: string };
        expect(difference(weight.read().dataSync(), byName.get(originalName)!)).toBe(0);
      }
    }
  });
});
