import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import type { Node } from '../../../daemon/network/ir.js';
import { Operations } from '../../../daemon/network/operations.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { Interpreter } from '../../fuzz/engine/float64/interpreter.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';

/** A builder, and values for what its graphs read. */
function start(seed = 1) {
  const graph = new GraphBuilder();
  const make = new Operations(graph);
  const random = createRandom(seed);
  const feeds = new Map<Node, Float64Array>();
  const input = (...shape: number[]) => {
    const node = graph.input(shape, { role: 'data', index: feeds.size });
    feeds.set(
      node,
      Float64Array.from({ length: sizeOf(shape) }, () => random.normal()),
    );
    return node;
  };
  const values = (node: Node) => [...new Interpreter({ inputs: [], outputs: [], nodes: [] }, feeds).value(node)];
  const ops = (node: Node) => graph.finish([{ role: 'output', node }]).nodes.map(({ op }) => op);
  return { graph, make, input, values, ops, random };
}

/** x in the columns from `at` on, of `columns`. */
const placed = (make: Operations, x: Node, at: number, columns: number): Node =>
  make.pad(x, [0, at], [0, columns - at - x.shape[1]!]);

describe('sums of tensors that are zero but for blocks', () => {
  it.each([
    ['in order', [0, 2, 5], 6, ['Concat']],
    ['the other way round', [5, 2, 0], 6, ['Concat']],
    ['with zeros around', [1, 3], 8, ['Concat', 'Pad']],
    ['with a gap, which comes later', [0, 5, 2], 6, ['Concat']],
  ] as const)('%s are one Concat', (_how, starts, columns, expected) => {
    const { make, input, values, ops } = start();
    const widths = starts.map((at) => Math.min(...starts.filter((other) => other > at), at + 1 + (columns === 8 ? 1 : 0)) - at); // prettier-ignore
    const blocks = starts.map((at, i) => ({ at, x: input(2, widths[i]!) }));
    const sum = blocks.map(({ at, x }) => placed(make, x, at, columns)).reduce(make.add);
    expect(ops(sum)).toEqual(expected);
    const wanted = [0, 1].flatMap((row) =>
      Array.from({ length: columns }, (_, column) => {
        const block = blocks.find(({ at, x }) => column >= at && column < at + x.shape[1]!);
        return block ? values(block.x)[row * block.x.shape[1]! + column - block.at]! : 0;
      }),
    );
    expect(values(sum)).toEqual(wanted);
  });

  it('that overlap, along other axes or padded with another number are sums', () => {
    const { make, input, values, ops } = start();
    const x = input(2, 3);
    const other = (before: number[], after: number[], value = 0) => make.pad(input(2, 3), before, after, value);
    for (const second of [other([0, 2], [0, 0]), other([0, 0], [0, 2], 1)]) {
      const sum = make.add(make.pad(x, [0, 0], [0, 2]), second);
      expect(ops(sum)).toContain('Add');
      const [a, b] = [values(make.pad(x, [0, 0], [0, 2])), values(second)];
      expect(values(sum)).toEqual(a.map((v, i) => v + b[i]!));
    }
    const square = input(2, 2);
    expect(ops(make.add(make.pad(square, [0, 0], [1, 1]), make.pad(square, [1, 1], [0, 0])))).toContain('Add');
  });
});

describe('what a normalisation leaves of sums', () => {
  it('the sum of p + s (x - mean(x)) is the sum of p, on either side', () => {
    const { make, input, values, ops } = start();
    const [x, p, s] = [input(5, 3), input(5, 3), input(3)];
    const centred = make.mul(make.sub(x, make.reduce('Mean', x, [0])), s);
    for (const sum of [make.add(p, centred), make.add(centred, p)]) {
      const total = make.reduce('Sum', sum, [0]);
      expect(ops(total)).toEqual(['Sum']);
      values(sum).reduce((columns, v, i) => columns.with(i % 3, columns[i % 3]! + v), [0, 0, 0]).forEach((v, i) => expect(values(total)[i]).toBeCloseTo(v, 12)); // prettier-ignore
    }
  });

  it('not along other axes, nor where s varies along those that are summed', () => {
    const { make, input, ops } = start();
    const [x, p] = [input(5, 3), input(5, 3)];
    const centred = make.sub(x, make.reduce('Mean', x, [0]));
    expect(ops(make.reduce('Sum', make.add(p, centred), [1]))).toContain('Add');
    expect(ops(make.reduce('Sum', make.add(p, make.mul(centred, input(5, 3))), [0]))).toContain('Add');
  });
});

it('a negated product by a number is a product by the negative number', () => {
  const { make, input, values, ops } = start();
  const x = input(4);
  const y = make.mul(make.neg(x), 0.5);
  expect(ops(y)).toEqual(['Multiply']);
  expect(values(y)).toEqual(values(x).map((v) => -0.5 * v));
});
