import { describe, expect, it } from 'vitest';
import { networkOf } from './sketch.js';
import { groupLines, reasonLines } from './written.js';

describe('why units stay', () => {
  it('they are the output, or one with it through additions', () => {
    const network = networkOf([[3]], (s, [x]) => {
      const a = s.dense('a', x!, 2);
      const first = s.at('add_1', () => s.add(a, s.dense('b', a, 2)));
      return s.at('add_3', () => s.add(first, s.dense('c', first, 2)));
    });
    expect(groupLines(network)).toEqual([]);
    expect(reasonLines(network)).toEqual([
      'a.kernel: all 2 units stay: tied to the model\'s output through "add_1", "add_3"',
      'b.kernel: all 2 units stay: tied to the model\'s output through "add_1", "add_3"',
      'c.kernel: all 2 units stay: tied to the model\'s output through "add_3"',
    ]);
  });

  it('they are added to the input', () => {
    const network = networkOf([[2]], (s, [x]) => s.dense('b', s.at('skip', () => s.add(x!, s.dense('a', x!, 2))), 1)); // prettier-ignore
    expect(reasonLines(network)).toEqual(['a.kernel: all 2 units stay: tied to the model\'s input through "skip"']);
  });

  it('some of them are, and the others go', () => {
    const network = networkOf([[3]], (s, [x]) => {
      const [shown, hidden] = s.split(s.dense('a', x!, 4), 1, 2);
      return [shown!, s.dense('b', hidden!, 2)];
    });
    expect(groupLines(network)).toHaveLength(2);
    expect(reasonLines(network)).toEqual([
      "a.kernel: 2 of 4 units stay: tied to the model's output",
      "b.kernel: all 2 units stay: tied to the model's output",
    ]);
  });

  it.each([
    ['layerNorm', 'the mean over all of them that "norm" takes'],
    ['groupNorm', 'the mean over all of them that "norm" takes'],
    ['softmax', 'the softmax over all of them of "norm"'],
    ['max', '"norm", which needs all of them at once'],
    ['constant', 'the constant matrix of "norm"'],
  ])('%s reads them all', (what, why) => {
    const network = networkOf([[2, 2, 3]], (s, [x]) => {
      const a = s.conv('a', x!, 4);
      const norm = s.at('norm', () => {
        if (what === 'layerNorm') return s.layerNorm('norm', a);
        if (what === 'groupNorm') return s.groupNorm('norm', a, 2);
        if (what === 'softmax') return s.softmax(a);
        if (what === 'max') return s.reduce('Max', a, [3]);
        return s.matMul(s.reshape(a, [4, 4]), s.builder.constant(Float32Array.from({ length: 16 }, (_, i) => i), [4, 4])); // prettier-ignore
      });
      return s.dense('b', s.reshape(norm, [1, norm.shape.reduce((product, n) => product * n, 1)]), 1);
    });
    expect(groupLines(network)).toEqual([]);
    expect(reasonLines(network)).toEqual([`a.kernel: all 4 units stay: tied to ${why}`]);
  });

  it('nothing would be left without them', () => {
    const network = networkOf([[2]], (s, [x]) => {
      const y = s.dense('a', x!, 2);
      return s.dense('b', s.add(y, s.op('Reverse', [y], y.shape, { axes: [1] })), 1);
    });
    expect(reasonLines(network)).toEqual(['a.kernel: all 2 units stay: tied to each other: without them nothing would be left']); // prettier-ignore
  });
});
