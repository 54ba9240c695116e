/** Native kernels against plain float64 loops, one graph node at a time: products, moves and what is refused. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Attributes, type Op } from '../../../../daemon/network/ir.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { Unsupported } from '../../../../daemon/engine/native/units.js';
import { between, compute, computeNode, expectClose, levels, normal, random, useLevel } from './kernelCases.js';

describe.each(levels)('native kernels with %s', (name) => {
  beforeAll(() => useLevel(name));

  it('multiply matrices of any size, transposed or not', async () => {
    for (let trial = 0; trial < 40; trial++) {
      const [m, k] = [
        trial % 5 === 0 ? between(64, 70) : between(1, 63),
        trial % 7 === 0 ? between(500, 1500) : between(1, 60),
      ];
      // Rows of B a page apart are copied first, if there are rows of A enough.
      const n = m >= 64 ? 256 : between(1, 90);
      const [transposeA, transposeB] = [random.below(2) === 1, random.below(2) === 1];
      const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
      const [a, b] = shapes.map((shape) => normal(sizeOf(shape))) as [Float32Array, Float32Array];
      const actual = await computeNode({ op: 'MatMul', shapes, attrs: { transposeA, transposeB }, shape: [m, n] }, [
        a,
        b,
      ]);
      const expected = new Float64Array(m * n);
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++)
          for (let l = 0; l < k; l++) {
            expected[i * n + j]! += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
          }
      expectClose(actual, expected, Math.sqrt(k));
    }
  });

  it.each<[string, number[], number[], number[]]>([
    ['the same number of each', [3, 4, 5, 7], [3, 4, 7, 6], [3, 4, 5, 6]],
    ['one of the left side', [1, 5, 7], [4, 7, 3], [4, 5, 3]],
    ['leading axes that broadcast', [2, 1, 5, 7], [3, 7, 17], [2, 3, 5, 17]],
    ['a matrix for all, turned on the left', [3, 7, 5], [7, 2], [3, 5, 2]],
    ['vectors', [8, 1, 9], [8, 9, 1], [8, 1, 1]],
  ])('multiply batches of matrices: %s', async (name, a, b, shape) => {
    const plain = { transposeA: name.endsWith('left') && name.includes('turned'), transposeB: false };
    for (const transposeB of [false, true]) {
      const turnedB = transposeB ? [...b.slice(0, -2), b.at(-1)!, b.at(-2)!] : b;
      const [x, y] = [normal(sizeOf(a)), normal(sizeOf(b))] as const;
      const expected = new Float64Array(sizeOf(shape));
      const [m, n] = shape.slice(-2) as [number, number];
      const k = plain.transposeA ? a.at(-2)! : a.at(-1)!;
      /** Number of the matrix of a tensor at a place of the result's leading axes. */
      const matrixOf = (own: number[], place: number) => {
        let [at, step, left] = [0, 1, place];
        for (let axis = 1; axis <= shape.length - 2; axis++) {
          const [size, i] = [own.at(-2 - axis) ?? 1, left % shape.at(-2 - axis)!];
          left = Math.floor(left / shape.at(-2 - axis)!);
          at += step * (size === 1 ? 0 : i);
          step *= size;
        }
        return at;
      };
      expected.forEach((_, i) => {
        const [column, row, place] = [i % n, Math.floor(i / n) % m, Math.floor(i / n / m)];
        const [left, right] = [matrixOf(a, place) * m * k, matrixOf(b, place) * k * n];
        for (let l = 0; l < k; l++)
          expected[i]! +=
            x[left + (plain.transposeA ? l * m + row : row * k + l)]! *
            y[right + (transposeB ? column * k + l : l * n + column)]!;
      });
      const attrs = { ...plain, transposeB };
      expectClose(
        await computeNode({ op: 'MatMul', shapes: [a, turnedB], attrs, shape }, [x, y]),
        expected,
        Math.sqrt(k),
      );
    }
  });

  it('transpose, slice, join, pad, repeat and reverse tensors of any rank', async () => {
    const positions = (shape: readonly number[]) =>
      Array.from({ length: sizeOf(shape) }, (_, flat) => {
        const at: number[] = [];
        for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
          at.unshift(rest % shape[axis]!);
          rest = Math.floor(rest / shape[axis]!);
        }
        return at;
      });
    const flat = (shape: readonly number[], at: readonly number[]) => at.reduce((i, x, k) => i * shape[k]! + x, 0);
    for (let trial = 0; trial < 20; trial++) {
      const shape = Array.from({ length: between(1, 5) }, () => between(1, 7));
      const x = normal(sizeOf(shape));
      const axes = shape.map((_, axis) => axis);
      /** The content of a place of the result: a value, or the place in x that it was copied from. */
      const check = async (op: Op, attrs: Attributes, result: number[], from: (at: number[]) => number[] | number) => {
        const actual = await computeNode({ op, shapes: [shape], attrs, shape: result }, [x]);
        const expected = positions(result).map((at) => {
          const source = from(at);
          return typeof source === 'number' ? source : x[flat(shape, source)]!;
        });
        expect([...actual]).toEqual(expected);
      };
      const perm = [...axes];
      for (let i = perm.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [perm[i], perm[j]] = [perm[j]!, perm[i]!];
      }
      const transposed = perm.map((axis) => shape[axis]!);
      await check('Transpose', { perm }, transposed, (at) => axes.map((axis) => at[perm.indexOf(axis)]!));
      const begin = shape.map((n) => random.below(n));
      const size = shape.map((n, axis) => between(1, n - begin[axis]!));
      await check('Slice', { begin }, size, (at) => at.map((i, axis) => i + begin[axis]!));
      const reps = shape.map((_, axis) => (axis < 4 ? between(1, 3) : 1));
      await check('Tile', { reps }, shape.map((n, axis) => n * reps[axis]!), (at) => at.map((i, axis) => i % shape[axis]!)); // prettier-ignore
      const turned = axes.filter(() => random.below(2) === 1);
      await check('Reverse', { axes: turned }, shape, (at) => at.map((i, axis) => (turned.includes(axis) ? shape[axis]! - 1 - i : i))); // prettier-ignore
      const before = shape.map(() => between(0, 2));
      const padded = shape.map((n, axis) => n + before[axis]! + between(0, 2));
      await check('Pad', { before, after: padded.map((n, axis) => n - shape[axis]! - before[axis]!), value: 3 }, padded, (at) => {
        const source = at.map((i, axis) => i - before[axis]!);
        return source.every((i, axis) => i >= 0 && i < shape[axis]!) ? source : 3;
      }); // prettier-ignore
      const axis = random.below(shape.length);
      const widths = [between(1, 4), between(1, 4)];
      const shapes = widths.map((n) => shape.with(axis, n));
      const parts = shapes.map((part) => normal(sizeOf(part)));
      const joined = shape.with(axis, widths[0]! + widths[1]!);
      const actual = await computeNode({ op: 'Concat', shapes, attrs: { axis }, shape: joined }, parts);
      const expected = positions(joined).map((at) => {
        const second = Number(at[axis]! >= widths[0]!);
        return parts[second]![flat(shapes[second]!, at.with(axis, at[axis]! - second * widths[0]!))]!;
      });
      expect([...actual]).toEqual(expected);
    }
  });

  it('read numbers that are the same everywhere as tensors, where a step for them is not at hand', async () => {
    const x = normal(6);
    const [joined] = await compute([[2, 3]], [x], (graph, [input]) => [
      graph.add({
        op: 'Concat',
        inputs: [input!, graph.constant(7, [2, 1])],
        attrs: { axis: 1 },
        shape: [2, 4],
      }),
    ]);
    expect([...joined!]).toEqual([x[0], x[1], x[2], 7, x[3], x[4], x[5], 7]);
  });

  it('refuse what they do not compute, naming it', async () => {
    const turned = { op: 'Transpose', shapes: [new Array<number>(9).fill(2)], attrs: { perm: [8, 7, 6, 5, 4, 3, 2, 1, 0] }, shape: new Array<number>(9).fill(2) } as const; // prettier-ignore
    await expect(computeNode(turned, [normal(512)])).rejects.toThrow(Unsupported);
    await expect(computeNode(turned, [normal(512)])).rejects.toThrow('no native kernel for Transpose of [2,2,2,2,2,2,2,2,2]'); // prettier-ignore
  });
});
