import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { createRandom } from '../../../../daemon/lc/random.js';

const found = loadAddon();

describe.skipIf('reason' in found)('rows copied by number', () => {
  const program = (threads: number): NativeGraph => {
    if ('reason' in found) throw new Error(found.reason);
    const builder = new GraphBuilder();
    const x = builder.input([1], { role: 'parameter', name: 'x' });
    const node = builder.add({ op: 'Neg', inputs: [x], shape: [1] });
    const graph = builder.finish([{ role: 'gradient', name: 'x', node }]);
    const one = new Float32Array(1);
    return NativeGraph.create(found.addon, graph, [one], [one], { threads, level: found.addon.levels()[0]! });
  };
  const random = createRandom(3);
  const [size, width] = [120, 37];
  const rows = Float32Array.from({ length: size * width }, () => random.normal());
  const indices = Uint32Array.from({ length: 100 }, () => random.below(size));

  it.each([1, 2, 5])('are those rows, on %i threads', async (threads) => {
    const graph = program(threads);
    for (const [from, count] of [
      [0, 100],
      [3, 97],
      [50, 1],
      [7, 0],
    ] as const) {
      const out = new Float32Array(count * width + 4).fill(-1);
      graph.copyRows(rows, width, indices, from, count, out);
      const expected = [...indices.subarray(from, from + count)].flatMap((row) => [...rows.subarray(row * width, (row + 1) * width)]); // prettier-ignore
      expect([...out]).toEqual([...expected, -1, -1, -1, -1]);
    }
    await graph.release();
  });

  it('are refused where they are not', async () => {
    const graph = program(2);
    const out = new Float32Array(10 * width);
    const refused: [number, Uint32Array, number, number, Float32Array][] = [
      [width, Uint32Array.of(size), 0, 1, out],
      [width, indices, 95, 10, out],
      [width, indices, 0, 11, out],
      [0, indices, 0, 1, out],
      [width, indices, -1, 1, out],
    ];
    for (const [wide, numbers, from, count, to] of refused)
      expect(() => graph.copyRows(rows, wide, numbers, from, count, to)).toThrow('copyRows');
    await graph.release();
  });
});
