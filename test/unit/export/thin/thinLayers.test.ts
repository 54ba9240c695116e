/** Thinning through layers whose settings are sizes, that are called several times, or that keep groups apart: in float64, before and after. */
import { describe, expect, it } from 'vitest';
import { thin } from '../../../../daemon/export/thin.js';
import { createRandom, type Random } from '../../../../daemon/lc/random.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import type { Topology } from '../../../../daemon/model/model.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { chain, dense, functional, layer, lower, modelOf, valuesOf } from './layerSketch.js';
import { difference, outputsOf, randomData } from '../../network/structure/thinned.js';

const NETWORKS: readonly (readonly [string, Topology])[] = [
  ['Reshape and Permute', chain([5], dense('a', 12), layer('Reshape', 'r', { target_shape: [3, 4] }), layer('Permute', 'p', { dims: [2, 1] }), layer('Conv1D', 'c', { filters: 4, kernel_size: 2 }), layer('Flatten', 'f'), dense('z', 3))],
  ['Reshape with an open size', chain([4, 3], dense('a', 6), layer('Reshape', 'r', { target_shape: [-1, 6] }), dense('b', 5), layer('GlobalAveragePooling1D', 'g'), dense('z', 2))],
  ['RepeatVector', chain([4], dense('a', 5), layer('RepeatVector', 'r', { n: 7 }), dense('b', 4), layer('Flatten', 'f'), dense('z', 3))],
  ['Rescaling and Normalization by channel', chain([4], dense('a', 6), layer('Rescaling', 's', { scale: [1, 2, 3, 4, 5, 6], offset: [0, 1, 0, 1, 0, 1] }), layer('Normalization', 'n', { axis: -1, mean: [1, 1, 2, 2, 0, 0], variance: [1, 4, 9, 1, 4, 9] }), dense('z', 3))],
  ['channels that ZeroPadding2D adds', chain([4, 4, 2], layer('Conv2D', 'a', { filters: 5, kernel_size: 2 }), layer('ZeroPadding2D', 'p', { padding: [[0, 0], [1, 2]], data_format: 'channels_first' }), layer('Conv2D', 'b', { filters: 3, kernel_size: 1 }), layer('Flatten', 'f'), dense('z', 2))],
  ['grouped convolutions', chain([6, 6, 3], layer('Conv2D', 'a', { filters: 8, kernel_size: 2, activation: 'relu' }), layer('Conv2D', 'b', { filters: 12, kernel_size: 2, groups: 4, activation: 'relu' }), layer('Conv2D', 'c', { filters: 24, kernel_size: 2, groups: 12 }), layer('Flatten', 'f'), dense('z', 3))],
  ['grouped convolutions of sequences', chain([9, 3], layer('Conv1D', 'a', { filters: 6, kernel_size: 2 }), layer('Conv1D', 'b', { filters: 9, kernel_size: 3, groups: 3, activation: 'relu' }), layer('Flatten', 'f'), dense('z', 3))],
  ['convolutions over channels first', chain([3, 6, 5], layer('Conv2D', 'a', { filters: 6, kernel_size: 2, data_format: 'channels_first', activation: 'relu' }), layer('BatchNormalization', 'n', { axis: 1 }), layer('MaxPooling2D', 'p', { data_format: 'channels_first' }), layer('Conv2D', 'b', { filters: 4, kernel_size: 1, data_format: 'channels_first' }), layer('Flatten', 'f', { data_format: 'channels_first' }), dense('z', 3))],
  ['volumes', chain([5, 4, 4, 2], layer('Conv3D', 'a', { filters: 5, kernel_size: 2, padding: 'same', activation: 'relu' }), layer('MaxPooling3D', 'p', { pool_size: 2, padding: 'same' }), layer('Conv3DTranspose', 'b', { filters: 4, kernel_size: 2, strides: 2 }), layer('UpSampling3D', 'u', { size: 2 }), layer('Conv3D', 'c', { filters: 3, kernel_size: 3 }), layer('GlobalAveragePooling3D', 'g'), dense('z', 2))],
  ['borders of sequences', chain([6, 3], layer('Conv1D', 'a', { filters: 6, kernel_size: 2 }), layer('ZeroPadding1D', 'p', { padding: 2 }), layer('Conv1D', 'b', { filters: 4, kernel_size: 2, padding: 'causal' }), layer('UpSampling1D', 'u', { size: 2 }), layer('Cropping1D', 'k', { cropping: [1, 2] }), layer('AveragePooling1D', 'v'), layer('Flatten', 'f'), dense('z', 2))],
  ['a layer called twice', functional([5], [[dense('a', 6), [['in', 0]]], [dense('b', 6), [['in', 0]]], [dense('s', 4), [['a', 0]], [['b', 0]]], [layer('Add', 'sum'), [['s', 0], ['s', 1]]], [dense('z', 2), [['sum', 0]]]], 'z')],
  ['a Reshape called twice', functional([5], [[dense('a', 6), [['in', 0]]], [dense('b', 6), [['in', 0]]], [layer('Reshape', 'r', { target_shape: [2, 3] }), [['a', 0]], [['b', 0]]], [layer('Concatenate', 'both', { axis: 1 }), [['r', 0], ['r', 1]]], [dense('c', 4), [['both', 0]]], [layer('Flatten', 'f'), [['c', 0]]], [dense('z', 2), [['f', 0]]]], 'z')],
]; // prettier-ignore

/** Zeros in whole columns, rows and single places; biases of 0 and of others. */
function pruned(random: Random, { name, shape, prunable }: { name: string; shape: readonly number[]; prunable: boolean }): Float32Array {
  const data = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
  if (/variance/.test(name)) return data.map((x) => 0.5 + Math.abs(x));
  if (!prunable) return data.map((x) => (random.next() < 0.5 ? 0 : x));
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  const [deadRow, deadColumn] = [rows, columns].map((n) => Array.from({ length: n }, () => random.next() < 0.5));
  return data.map((x, i) => (deadColumn![i % columns] || deadRow![Math.floor(i / columns) % rows] || random.next() < 0.2 ? 0 : x));
} // prettier-ignore

describe('thinning', () => {
  it.each(NETWORKS)('is exact through %s', (name, topology) => {
    let removed = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const random = createRandom(seed);
      const model = modelOf(topology, (weight) => pruned(random, weight));
      const before = lower(model);
      if (!name.startsWith('a Reshape')) expect(before.calls.filter(({ isLowered }) => !isLowered)).toEqual([]);
      const { model: thinned, weights } = thin(model);
      const after = lower(thinned);
      // Each layer has the sizes that its weights have.
      for (const { weights: own } of modelGraph(thinned.topology).layers)
        for (const spec of own) expect(spec.shape, `${spec.name}, seed ${seed}`).toEqual(thinned.weights.find((one) => one.name === spec.name)!.shape);
      const data = randomData(before.graph, seed);
      const [expected, found] = [outputsOf(before.graph, valuesOf(model), data), outputsOf(after.graph, valuesOf(thinned), data)];
      expect(difference(found, expected), `seed ${seed}`).toBeLessThanOrEqual(1e-6);
      expect(thin(thinned).model, `seed ${seed}`).toBe(thinned);
      removed += weights.before - weights.after;
    }
    expect(removed).toBeGreaterThan(20);
  }); // prettier-ignore
});
