/** Units inside layers (recurrent units, heads, groups) go when nothing needs them: zeroed, thinned, and computed before and after in float64. */
import { describe, expect, it } from 'vitest';
import { thin } from '../../../../daemon/export/thin.js';
import { createRandom, type Random } from '../../../../daemon/lc/random.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import type { LayersModel, Topology } from '../../../../daemon/model/model.js';
import { unitGroupsOf } from '../../../../daemon/network/structure/unitGroups.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { difference, outputsOf, randomData } from '../../network/structure/thinned.js';
import { zeroUnits } from '../../network/structure/zeroUnits.js';
import { chain, dense, functional, layer, lower, modelOf, valuesOf, type Layer } from './layerSketch.js';

const inner = (class_name: string, config: object): Layer => layer(class_name, class_name.toLowerCase(), config);
const lstm = { units: 6, recurrent_activation: 'sigmoid' };
const gru = { units: 6, recurrent_activation: 'sigmoid', reset_after: true };
const cell = (class_name: string, config: object): Layer => inner(class_name, config);
const all = { return_sequences: true };

/** Name, network, sizes of one of its weights when half of the units are gone. */
const NETWORKS: readonly (readonly [name: string, Topology, weight: string, shape: readonly number[]])[] = [
  ['an LSTM', chain([7, 3], layer('LSTM', 'l', lstm), dense('z', 2)), 'l/recurrent_kernel', [3, 12]],
  ['LSTMs one behind the other', chain([7, 3], layer('LSTM', 'k', { ...lstm, ...all }), layer('LSTM', 'l', lstm), dense('z', 2)), 'l/kernel', [3, 12]],
  ['an LSTM under a mask', chain([6], layer('Embedding', 'e', { input_dim: 5, output_dim: 4, mask_zero: true }), layer('LSTM', 'l', { ...lstm, ...all }), layer('GlobalAveragePooling1D', 'g'), dense('z', 2)), 'l/kernel', [2, 12]],
  ['a GRU with reset_after', chain([7, 3], layer('GRU', 'l', { ...gru, ...all }), layer('Flatten', 'f'), dense('z', 2)), 'l/bias', [2, 9]],
  ['a GRU without it', chain([7, 3], layer('GRU', 'l', { ...gru, reset_after: false, go_backwards: true }), dense('z', 2)), 'l/recurrent_kernel', [3, 9]],
  ['a SimpleRNN', chain([7, 3], layer('SimpleRNN', 'l', { units: 6 }), dense('z', 2)), 'l/recurrent_kernel', [3, 3]],
  ['a dense layer in front of an LSTM of one step', chain([4], dense('a', 6), layer('Reshape', 'r', { target_shape: [1, 6] }), layer('LSTM', 'l', lstm), dense('z', 2)), 'l/recurrent_kernel', [6, 24]],
  ['both directions, side by side', chain([7, 3], layer('Bidirectional', 'l', { layer: inner('LSTM', { ...lstm, ...all }), merge_mode: 'concat' }), layer('GlobalMaxPooling1D', 'g'), dense('z', 2)), 'l/forward_lstm/kernel', [3, 12]],
  ['both directions, added', chain([7, 3], layer('Bidirectional', 'l', { layer: inner('GRU', gru), merge_mode: 'sum' }), dense('z', 2)), 'l/backward_gru/kernel', [3, 9]],
  ['stacked cells', chain([7, 3], layer('RNN', 'l', { cell: cell('StackedRNNCells', { cells: [cell('LSTMCell', lstm), cell('GRUCell', { ...gru, units: 4 })] }) }), dense('z', 2)), 'l/RNNCell_1/kernel', [3, 6]],
  ['states handed on', functional([7, 3], [[layer('LSTM', 'k', { ...lstm, return_state: true }), [['in', 0]]], [layer('LSTM', 'l', lstm), [['in', 0], ['k', 0, 1], ['k', 0, 2]]], [dense('z', 2), [['l', 0]]]], 'z'), 'k/recurrent_kernel', [3, 12]],
  ['attention heads', functional([5, 6], [[layer('MultiHeadAttention', 'l', { num_heads: 4, key_dim: 3 }), [['in', 0], ['in', 0]]], [layer('Add', 'a'), [['in', 0], ['l', 0]]], [layer('LayerNormalization', 'n', { axis: -1 }), [['a', 0]]], [dense('z', 2), [['n', 0]]]], 'z'), 'l/query/kernel', [6, 2, 3]],
  ['attention heads that share keys', functional([5, 6], [[layer('GroupedQueryAttention', 'l', { num_query_heads: 8, num_key_value_heads: 4, head_dim: 3 }), [['in', 0], ['in', 0]]], [dense('z', 2), [['l', 0]]]], 'z'), 'l/query/kernel', [6, 4, 3]],
  ['attention', functional([5, 6], [[dense('q', 6), [['in', 0]]], [dense('v', 6), [['in', 0]]], [layer('Attention', 'l'), [['q', 0], ['v', 0]]], [dense('z', 2), [['l', 0]]]], 'z'), 'q/kernel', [6, 3]],
  ['layers for each step', chain([4, 3], layer('TimeDistributed', 'l', { layer: inner('Dense', { units: 6, activation: 'relu' }) }), layer('Flatten', 'f'), dense('z', 2)), 'l/kernel', [3, 3]],
  ['convolutions for each step', chain([3, 4, 4, 2], layer('TimeDistributed', 'l', { layer: inner('Conv2D', { filters: 6, kernel_size: 2 }) }), layer('TimeDistributed', 'p', { layer: inner('GlobalMaxPooling2D', {}) }), layer('LSTM', 'r', lstm), dense('z', 2)), 'r/kernel', [3, 12]],
  ['a norm of each channel', chain([6, 6, 2], layer('Conv2D', 'a', { filters: 6, kernel_size: 2 }), layer('GroupNormalization', 'l', { groups: 6 }), layer('GlobalAveragePooling2D', 'g'), dense('z', 2)), 'l/gamma', [3]],
  ['a convolution, but not in front of a norm of groups', chain([6, 6, 2], layer('Conv2D', 'a', { filters: 8, kernel_size: 2 }), layer('GroupNormalization', 'l', { groups: 4 }), layer('Conv2D', 'b', { filters: 6, kernel_size: 1 }), layer('GlobalAveragePooling2D', 'g'), dense('z', 2)), 'b/kernel', [1, 1, 8, 3]],
  ['a norm of vectors', chain([4], dense('a', 6), layer('UnitNormalization', 'l'), dense('z', 2)), 'a/kernel', [4, 3]],
  ['EinsumDense', chain([4, 3], layer('EinsumDense', 'l', { equation: 'abc,cd->abd', output_shape: [null, 6], bias_axes: 'd' }), layer('Flatten', 'f'), dense('z', 2)), 'l/kernel', [3, 3]],
  ['locally connected images', chain([5, 5, 2], layer('Conv2D', 'a', { filters: 6, kernel_size: 2 }), layer('LocallyConnected2D', 'l', { filters: 4, kernel_size: 2, activation: 'relu' }), layer('Flatten', 'f'), dense('z', 2)), 'l/kernel', [9, 12, 2]],
]; // prettier-ignore

const drawn = (random: Random) => ({ name, shape }: { name: string; shape: readonly number[] }): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, () => (/variance/.test(name) ? 0.5 + random.next() : random.normal())); // prettier-ignore

/** Half of the groups of each size, drawn by the seed, set to 0 with their biases. */
function zeroed(model: LayersModel, random: Random): LayersModel {
  const { graph, weights } = lower(model);
  const groups = unitGroupsOf(graph);
  const values = new Map([...valuesOf(model)].map(([name, data]) => [name, data.slice()]));
  const families = new Map<string, number[]>();
  for (let group = 0; group < groups.count; group++) {
    const key = groups.members(group).map(({ weight, axis }) => `${weight} ${axis}`).sort().join(); // prettier-ignore
    families.set(key, [...(families.get(key) ?? []), group]);
  }
  const which = [...families.values()].flatMap((family) =>
    family.map((group) => ({ group, at: random.next() })).sort((a, b) => a.at - b.at).slice(0, family.length >> 1).map(({ group }) => group),
  ); // prettier-ignore
  zeroUnits({ weights }, groups, which, values);
  return { ...model, weights: model.weights.map((weight) => ({ ...weight, data: values.get(weight.name)! })) };
}

describe('half of the units, zeroed,', () => {
  it.each(NETWORKS)('go from %s', (name, topology, weight, shape) => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = createRandom(seed);
      const model = zeroed(modelOf(topology, drawn(random)), random);
      const before = lower(model);
      if (!name.includes('one step')) expect(before.calls.filter(({ isLowered }) => !isLowered)).toEqual([]);
      const { model: thinned } = thin(model);
      expect(thinned.weights.find(({ name }) => name === weight)?.shape, `seed ${seed}`).toEqual(shape);
      for (const { weights: own } of modelGraph(thinned.topology).layers)
        for (const spec of own) expect(spec.shape, `${spec.name}, seed ${seed}`).toEqual(thinned.weights.find((one) => one.name === spec.name)!.shape); // prettier-ignore
      const data = randomData(before.graph, seed, JSON.stringify(topology).includes('"Embedding"') ? 5 : 0);
      const [expected, found] = [outputsOf(before.graph, valuesOf(model), data), outputsOf(lower(thinned).graph, valuesOf(thinned), data)]; // prettier-ignore
      expect(difference(found, expected), `seed ${seed}`).toBeLessThanOrEqual(1e-6);
    }
  });
});
