import { describe, expect, it } from 'vitest';
import type { Network } from '../../../../daemon/network/network.js';
import { flops, inferencePass, thin } from '../../../../daemon/network/structure/structure.js';
import { networkOf } from './sketch.js';
import { difference, outputsOf, randomData } from './thinned.js';

const filled = (network: Network, given: Readonly<Record<string, readonly number[]>>): Map<string, Float32Array> =>
  new Map(
    network.weights.map(({ name, shape }) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, Float32Array.from({ length: size }, (_, i) => given[name]?.[i] ?? 1 + i)];
    }),
  );

/** Thins, and checks that the outputs are the same. @returns shapes and values by weight. */
function thinned(network: Network, weights: ReadonlyMap<string, Float32Array>, roundTo?: number) {
  const graph = inferencePass(network);
  const result = thin(network, weights, roundTo === undefined ? {} : { roundTo });
  const data = randomData(graph, 7);
  const left = new Map([...result.weights].map(([name, one]) => [name, one.data]));
  expect(difference(outputsOf(result.graph, left, data), outputsOf(graph, weights, data))).toBeLessThanOrEqual(1e-6);
  return Object.fromEntries([...result.weights].map(([name, { shape, data: values }]) => [name, [shape, [...values]]]));
}

describe('thinning on the graph', () => {
  it('folds act(bias) of a unit without inputs into the next bias, and takes out units that nobody reads', () => {
    const network = networkOf([[2]], (s, [x]) => s.dense('b', s.unary('Sigmoid', s.dense('a', x!, 3)), 2));
    const weights = filled(network, { 'a.kernel': [1, 0, 5, 2, 0, 6], 'a.bias': [0.1, 0.2, 0.3], 'b.kernel': [1, 2, 3, 4, 0, 0], 'b.bias': [1, 1] }); // prettier-ignore
    const act = 1 / (1 + Math.exp(-Math.fround(0.2)));
    expect(thinned(network, weights)).toEqual({
      'a.kernel': [[2, 1], [1, 2]],
      'a.bias': [[1], [Math.fround(0.1)]],
      'b.kernel': [[1, 2], [1, 2]],
      'b.bias': [[2], [Math.fround(1 + 3 * act), Math.fround(1 + 4 * act)]],
    }); // prettier-ignore
  });

  it('keeps a constant unit where no bias takes in what it gives', () => {
    const network = networkOf([[2]], (s, [x]) => s.dense('b', s.dense('a', x!, 2), 2, false));
    const given = (bias: number) => filled(network, { 'a.kernel': [1, 0, 1, 0], 'a.bias': [0, bias] });
    expect(thinned(network, given(0.5))['a.kernel']![0]).toEqual([2, 2]);
    expect(thinned(network, given(0))['a.kernel']![0]).toEqual([2, 1]);
  });

  it('folds into the mean of a BatchNorm behind a convolution without bias, and not in front of padding', () => {
    const make = (pad: number) =>
      networkOf([[4, 4, 1]], (s, [x]) => {
        const y = s.relu(s.conv('a', x!, 2));
        return s.reduce('Mean', s.batchNorm('bn', s.conv('b', y, 2, { field: 3, pad, bias: false })), [1, 2], false);
      });
    const given = { 'a.kernel': [1, 0], 'a.bias': [0, 0.5], 'bn.mean': [0, 0] };
    const network = make(0);
    const result = thinned(network, filled(network, given));
    expect(result['a.kernel']![0]).toEqual([1, 1, 1, 1]);
    // The mean decreases by the contribution of the unit: 0.5 times the sum of its taps.
    const kernel = filled(network, given).get('b.kernel')!;
    const sum = (f: number) => kernel.reduce((total, w, i) => total + (i % 4 === 2 + f ? w : 0), 0);
    expect(result['bn.mean']![1]).toEqual([-0.5 * sum(0), -0.5 * sum(1)]);
    const padded = make(1);
    expect(thinned(padded, filled(padded, given))['a.kernel']![0]).toEqual([1, 1, 1, 2]);
  });

  it('folds through scales: behind the product, and inside of the vector that takes it in', () => {
    const behind = networkOf([[2]], (s, [x]) => {
      const y = s.dense('b', s.relu(s.dense('a', x!, 2)), 2, false);
      return s.add(s.multiply(y, s.weight('gamma', [2])), s.weight('beta', [2]));
    });
    const given = {
      'a.kernel': [1, 0, 1, 0],
      'a.bias': [0, 2],
      'b.kernel': [1, 1, 3, 5],
      gamma: [10, 100],
      beta: [1, 1],
    };
    expect(thinned(behind, filled(behind, given))['beta']).toEqual([[2], [1 + 2 * 3 * 10, 1 + 2 * 5 * 100]]);
    const inside = networkOf([[2]], (s, [x]) => {
      const y = s.dense('b', s.relu(s.dense('a', x!, 2)), 2, false);
      return s.binary('Sub', y, s.multiply(s.weight('beta', [2]), s.weight('gamma', [2])));
    });
    expect(thinned(inside, filled(inside, given))['beta']).toEqual([[2], [1 - (2 * 3) / 10, 1 - (2 * 5) / 100].map(Math.fround)]); // prettier-ignore
  });

  it('keeps a constant filter in front of zeros that are put around the image', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) => {
      const y = s.conv('a', x!, 2);
      const padded = s.op('Pad', [y], [1, 3, 2, 2], { before: [0, 1, 0, 0], after: [0, 0, 0, 0], value: 0 });
      return s.conv('b', padded, 1);
    });
    expect(thinned(network, filled(network, { 'a.kernel': [1, 0], 'a.bias': [0, 1] }))['a.kernel']![0]).toEqual([1, 1, 1, 2]); // prettier-ignore
    expect(thinned(network, filled(network, { 'a.kernel': [1, 0], 'a.bias': [0, 0] }))['a.kernel']![0]).toEqual([1, 1, 1, 1]); // prettier-ignore
  });

  it('keeps what makes a unit 0, where a product of activations counts on it and nothing else is left', () => {
    const network = networkOf([[2]], (s, [x]) => {
      const half = s.unary('Sigmoid', s.dense('a', x!, 2, false));
      const zero = s.relu(s.add(s.dense('b', half, 2, false), s.number(0.5)));
      return s.matMul(zero, s.dense('c', x!, 2), true);
    });
    const result = thinned(network, filled(network, { 'a.kernel': [0, 0, 0, 0], 'b.kernel': [-1, -1, -1, -1] }));
    expect(result['b.kernel']![0]).toEqual([2, 1]);
  });

  it('leaves one unit of a layer whose units all do nothing, and what it computes changes nothing', () => {
    const network = networkOf([[2]], (s, [x]) => {
      const a = s.unary('Sigmoid', s.dense('a', x!, 3, false));
      return s.dense('c', s.unary('Cos', s.dense('b', a, 3, false)), 2);
    });
    const zero = new Array<number>(6).fill(0);
    const result = thinned(network, filled(network, { 'a.kernel': zero }));
    expect([result['a.kernel']![0], result['b.kernel']![0], result['c.kernel']![0]]).toEqual([[2, 1], [1, 1], [1, 2]]); // prettier-ignore
  });

  it('takes a head out of attention, and a unit out of an LSTM', () => {
    const attention = networkOf([[3, 4]], (s, [x]) => s.attention('att', x!, 2, 2));
    const values = filled(attention, { 'att_v.kernel': Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 0 : i)), 'att_v.bias': [0, 0, 1, 2] }); // prettier-ignore
    const heads = thinned(attention, values);
    expect(['q', 'k', 'v'].map((part) => heads[`att_${part}.kernel`]![0])).toEqual([[4, 2], [4, 2], [4, 2]]); // prettier-ignore
    expect(heads['att_o.kernel']![0]).toEqual([2, 4]);
    const lstm = networkOf([[3, 2]], (s, [x]) => s.dense('b', s.lstm('l', x!, 2), 1));
    // The candidate of unit 1 is 0, and so is its state.
    const gate = (rows: number) => Array.from({ length: 8 * rows }, (_, i) => (i % 8 === 5 ? 0 : 0.1 * (1 + (i % 5)))); // prettier-ignore
    const units = thinned(lstm, filled(lstm, { 'l.kernel': gate(2), 'l.recurrent': gate(2), 'l.bias': gate(1) }));
    expect(['l.kernel', 'l.recurrent', 'l.bias', 'b.kernel'].map((name) => units[name]![0])).toEqual([[2, 4], [1, 4], [4], [1, 1]]); // prettier-ignore
  });

  it('lists the nodes whose sizes change, for a file that has them as constants', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) => {
      const y = s.conv('a', x!, 4);
      return s.dense('b', s.reshape(s.add(s.slice(y, 3, 0, 2), s.slice(y, 3, 2, 2)), [1, 8]), 1);
    });
    const { changed } = thin(network, filled(network, { 'a.kernel': [0, 1, 0, 1], 'a.bias': [0, 1, 0, 1] }));
    const nodes = [...changed].map(([node, { shape, attrs }]) => [node.op, shape, attrs['begin'] ?? null]);
    expect(nodes).toContainEqual(['Slice', [1, 2, 2, 1], [0, 0, 0, 1]]);
    expect(nodes).toContainEqual(['Reshape', [1, 4], null]);
  });

  it('keeps multiples of 8 units where it is asked to', () => {
    const network = networkOf([[2]], (s, [x]) => s.dense('b', s.relu(s.dense('a', x!, 20)), 2));
    const weights = filled(network, { 'a.kernel': Array.from({ length: 40 }, (_, i) => (i % 20 < 11 ? 0 : 1)), 'a.bias': new Array<number>(20).fill(0) }); // prettier-ignore
    expect(thinned(network, weights)['a.kernel']![0]).toEqual([2, 9]);
    expect(thinned(network, weights, 8)['a.kernel']![0]).toEqual([2, 16]);
    expect(thinned(network, weights, 16)['a.kernel']![0]).toEqual([2, 16]);
    expect(thinned(network, weights, 64)['a.kernel']![0]).toEqual([2, 20]);
  });
});

describe('FLOPs of a pass', () => {
  it('are two for each multiply-add, of weights and of activations', () => {
    const network = networkOf([[4, 4, 3]], (s, [x]) => {
      const y = s.depthwise('d', s.conv('a', x!, 6, { field: 3, pad: 1 }), 1, 3);
      return s.dense('b', s.reduce('Mean', s.grouped('g', y, 4, 2), [1, 2], false), 5);
    });
    const { total, byWeight } = flops(network);
    expect([...byWeight]).toEqual([
      ['a.kernel', 2 * 16 * 9 * 3 * 6],
      ['d.kernel', 2 * 16 * 9 * 6],
      ['g.kernel', 2 * 16 * 3 * 4],
      ['b.kernel', 2 * 4 * 5],
    ]);
    expect(total).toBe([...byWeight.values()].reduce((sum, n) => sum + n, 0));
    const attention = flops(networkOf([[3, 4]], (s, [x]) => s.attention('att', x!, 2, 2)));
    expect([...attention.activations]).toEqual([['att', 2 * 2 * (2 * 3 * 3 * 2)]]);
  });
});
