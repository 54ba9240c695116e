import { describe, expect, it } from 'vitest';
import { unitGroups } from '../../../../daemon/network/structure/structure.js';
import { networkOf } from './sketch.js';
import { groupLines, tieLines } from './written.js';

/** The slices of unit u, written once for every u below `units`. */
const each = (units: number, line: (u: number) => string): string[] => Array.from({ length: units }, (_, u) => line(u));

describe('what is removed together', () => {
  it('a column of a kernel, its bias, and the rows that read it', () => {
    const network = networkOf([[3]], (s, [x]) => s.dense('b', s.relu(s.dense('a', x!, 2)), 2));
    expect(groupLines(network)).toEqual(each(2, (u) => `a.kernel[1]: ${u} makes, a.bias[0]: ${u} along, b.kernel[0]: ${u} reads`)); // prettier-ignore
    expect(tieLines(network, 0)).toEqual([]);
  });

  it('filters that a residual addition makes one, with the BatchNorm between them', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) => {
      const a = s.batchNorm('bn', s.conv('a', x!, 2, { bias: false }));
      const y = s.at('add_1', () => s.add(a, s.conv('b', a, 2, { field: 3, pad: 1 })));
      return s.dense('c', s.reduce('Mean', y, [1, 2], false), 2);
    });
    const norm = (u: number) => ['variance', 'mean', 'gamma', 'beta'].map((part) => `bn.${part}[0]: ${u} along`).join(', '); // prettier-ignore
    expect(groupLines(network)).toEqual(
      each(2, (u) => `a.kernel[3]: ${u} makes, ${norm(u)}, b.kernel[2]: ${u} reads, b.kernel[3]: ${u} makes, b.bias[0]: ${u} along, c.kernel[0]: ${u} reads`),
    ); // prettier-ignore
    expect(tieLines(network, 1)).toEqual(['sum add_1']);
  });

  it('channels side by side, and halves that gate each other', () => {
    const network = networkOf([[3]], (s, [x]) => {
      const joined = s.at('join', () => s.concat([s.dense('a', x!, 2), s.dense('b', x!, 2)], 1));
      const [p, q] = s.split(joined, 1, 2);
      return s.dense(
        'd',
        s.at('gate', () => s.multiply(p!, s.unary('Sigmoid', q!))),
        1,
      );
    });
    expect(groupLines(network)).toEqual(
      each(2, (u) => `a.kernel[1]: ${u} makes, a.bias[0]: ${u} along, b.kernel[1]: ${u} makes, b.bias[0]: ${u} along, d.kernel[0]: ${u} reads`),
    ); // prettier-ignore
    expect(tieLines(network, 0)).toEqual(['concatenation join', 'product gate']);
  });

  it('a channel and all of its features, in the order of a flatten', () => {
    const last = networkOf([[2, 2, 1]], (s, [x]) => s.dense('b', s.reshape(s.conv('a', x!, 2), [1, 8]), 2));
    const first = networkOf([[2, 2, 1]], (s, [x]) =>
      s.dense('b', s.reshape(s.transpose(s.conv('a', x!, 2), [0, 3, 1, 2]), [1, 8]), 2),
    );
    const lines = (rows: readonly string[]) => each(2, (u) => `a.kernel[3]: ${u} makes, a.bias[0]: ${u} along, b.kernel[0]: ${rows[u]} reads`); // prettier-ignore
    expect(groupLines(last)).toEqual(lines(['0 2 4 6', '1 3 5 7']));
    expect(groupLines(first)).toEqual(lines(['0 1 2 3', '4 5 6 7']));
    expect(tieLines(last, 0)).toEqual(['flatten a']);
  });

  it('a channel and its depthwise filters, as many as the multiplier', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) =>
      s.reduce('Mean', s.conv('c', s.depthwise('b', s.conv('a', x!, 2), 2), 2), [1, 2], false),
    );
    expect(groupLines(network)).toEqual(
      each(2, (u) => `a.kernel[3]: ${u} makes, a.bias[0]: ${u} along, b.kernel[2]: ${u} makes, c.kernel[2]: ${2 * u} ${2 * u + 1} reads`),
    ); // prettier-ignore
    expect(tieLines(network, 0)).toEqual(['depthwise b']);
  });

  it('filters of a transposed convolution, which are the third axis', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) => s.conv('c', s.transposed('b', s.conv('a', x!, 2), 2), 1));
    expect(groupLines(network)).toEqual([
      ...each(2, (u) => `a.kernel[3]: ${u} makes, a.bias[0]: ${u} along, b.kernel[3]: ${u} reads`),
      ...each(2, (u) => `b.kernel[2]: ${u} makes, c.kernel[2]: ${u} reads`),
    ]);
  });

  it('the filters of all groups of a convolution that have the same place', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) => s.conv('c', s.grouped('g', s.conv('a', x!, 4), 4, 2), 1));
    expect(groupLines(network)).toEqual([
      ...each(2, (u) => `a.kernel[3]: ${u} ${u + 2} makes, a.bias[0]: ${u} ${u + 2} along, g.kernel[2]: ${u} reads`),
      ...each(2, (u) => `g.kernel[3]: ${u} ${u + 2} makes, c.kernel[2]: ${u} ${u + 2} reads`),
    ]);
    expect(tieLines(network, 2)).toEqual(['parts g', 'concatenation g']);
  });

  it('a channel of each group that a shuffle puts side by side', () => {
    const network = networkOf([[2, 2, 1]], (s, [x]) => {
      const grouped = s.reshape(s.conv('a', x!, 6), [1, 2, 2, 2, 3]);
      return s.conv('b', s.reshape(s.transpose(grouped, [0, 1, 2, 4, 3]), [1, 2, 2, 6]), 1);
    });
    expect(groupLines(network)).toEqual(
      each(3, (u) => `a.kernel[3]: ${u} ${u + 3} makes, a.bias[0]: ${u} ${u + 3} along, b.kernel[2]: ${2 * u} ${2 * u + 1} reads`),
    ); // prettier-ignore
  });

  it.each([false, true])('an attention head: its queries, keys, values and the rows that read it; packed: %s', (packed) => {
    const network = networkOf([[3, 4]], (s, [x]) => s.attention('att', x!, 2, 2, packed));
    const own = (u: number) => `${2 * u} ${2 * u + 1}`;
    const made = (u: number) =>
      packed
        ? ['kernel[1]', 'bias[0]'].map((part, i) => `att_qkv.${part}: ${own(u)} ${own(u + 2)} ${own(u + 4)} ${i ? 'along' : 'makes'}`)
        : ['q', 'k', 'v'].flatMap((part) => [`att_${part}.kernel[1]: ${own(u)} makes`, `att_${part}.bias[0]: ${own(u)} along`]);
    expect(groupLines(network)).toEqual(each(2, (u) => `${made(u).join(', ')}, att_o.kernel[0]: ${own(u)} reads`));
    expect(tieLines(network, 0)).toEqual(['heads att']);
  }); // prettier-ignore

  it('the gates of a recurrent unit, four by four and three by three, and the rows that its state meets', () => {
    const lstm = networkOf([[2, 3]], (s, [x]) => s.dense('b', s.lstm('l', x!, 2), 1));
    const gates = (u: number, count: number) => each(count, (gate) => String(2 * gate + u)).join(' ');
    expect(groupLines(lstm)).toEqual(
      each(2, (u) => `l.kernel[1]: ${gates(u, 4)} makes, l.recurrent[0]: ${u} reads, l.recurrent[1]: ${gates(u, 4)} makes, l.bias[0]: ${gates(u, 4)} along, b.kernel[0]: ${u} reads`),
    ); // prettier-ignore
    const gru = networkOf([[2, 3]], (s, [x]) => s.dense('b', s.gru('g', x!, 2), 1));
    expect(groupLines(gru)).toEqual(
      each(2, (u) => `g.kernel[1]: ${gates(u, 3)} makes, g.recurrent[0]: ${u} reads, g.recurrent[1]: ${gates(u, 3)} makes, b.kernel[0]: ${u} reads`),
    ); // prettier-ignore
  });

  it('a column of an embedding', () => {
    const network = networkOf([[3]], (s, [x]) =>
      s.dense('b', s.reduce('Mean', s.embedding('e', x!, 5, 2), [1], false), 1),
    );
    expect(groupLines(network)).toEqual(each(2, (u) => `e.table[1]: ${u} makes, b.kernel[0]: ${u} reads`));
  });

  it('a table that embeds and, transposed, makes the result', () => {
    const network = networkOf([[3]], (s, [x]) => {
      const table = s.weight('e.table', [5, 2]);
      const whole = s.builder.add({ op: 'Cast', inputs: [x!], shape: x!.shape, dtype: 'int32' });
      const found = s.builder.add({ op: 'Gather', inputs: [table, whole], shape: [1, 3, 2], attrs: { axis: 0 } });
      return s.matMul(s.reshape(found, [3, 2]), table, true);
    });
    expect(groupLines(network)).toEqual(each(2, (u) => `e.table[1]: ${u} both`));
  });

  it('nothing through constants of equal value', () => {
    const network = networkOf([[3]], (s, [x]) => {
      const zeros = () => s.builder.constant(0, [1, 2]);
      const a = s.concat([s.dense('a', x!, 2), zeros()], 1);
      const b = s.concat([s.dense('b', x!, 2), zeros()], 1);
      return s.add(s.dense('c', a, 1), s.dense('d', b, 1));
    });
    expect(groupLines(network).filter((line) => line.includes('a.kernel') && line.includes('b.kernel'))).toEqual([]);
  });
});

describe('what a unit must be to go', () => {
  const needs = (network: Parameters<typeof unitGroups>[0]) => unitGroups(network).needs(0);

  it('any constant, where all that read it have a bias behind', () => {
    expect(needs(networkOf([[3]], (s, [x]) => s.dense('b', s.dense('a', x!, 2), 2)))).toBe('constant');
    const normalised = networkOf([[2, 2, 1]], (s, [x]) => s.reduce('Mean', s.batchNorm('bn', s.conv('b', s.conv('a', x!, 2), 2, { bias: false })), [1, 2], false)); // prettier-ignore
    expect(needs(normalised)).toBe('constant');
  });

  it('0, where there is none, where windows see padding, and where activations are multiplied or summed', () => {
    expect(needs(networkOf([[3]], (s, [x]) => s.dense('b', s.dense('a', x!, 2), 2, false)))).toBe('zero');
    expect(needs(networkOf([[2, 2, 1]], (s, [x]) => s.conv('b', s.conv('a', x!, 2), 2, { field: 3, pad: 1 })))).toBe('zero'); // prettier-ignore
    expect(needs(networkOf([[3]], (s, [x]) => s.reduce('Sum', s.dense('a', x!, 2), [1])))).toBe('zero');
    const products = networkOf([[3]], (s, [x]) => s.matMul(s.dense('a', x!, 2), s.dense('b', x!, 2), true));
    expect(needs(products)).toBe('zero');
  });
});
