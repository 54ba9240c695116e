/** Every operation of the graph that a transformer, or a file of another framework, may hold, against float64 loops. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../../daemon/network/builder.js';
import { type Attributes, binaryOps, type Node, type Op, unaryOps } from '../../../../daemon/network/ir.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { compare } from './graphCases.js';
import { between, levels, normal, random, useLevel } from './kernelCases.js';

const shuffled = (n: number): number[] => {
  const list = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
};
const anyShape = (least = 1, most = 5): number[] => Array.from({ length: between(least, most) }, () => between(1, 6));
/** Whole numbers below a limit, as the graph reads them: an input of floats, cast. */
const wholes = (count: number, limit: number) => Float32Array.from({ length: count }, () => random.below(limit));
const isTruth = new Set<Op>(['IsNan', 'LogicalNot', 'Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'LogicalXor', 'NotEqual']); // prettier-ignore
const isLogic = (op: Op) => op.startsWith('Logical');
/** Inputs for which float32 and float64 are on one side of every jump, and no value overflows. */
const domains: Partial<Record<Op, (x: number) => number>> = {
  Acos: Math.tanh,
  Asin: Math.tanh,
  Atanh: (x) => 0.9 * Math.tanh(x),
  Acosh: (x) => 1.01 + Math.abs(x),
  Log: (x) => 0.01 + Math.abs(x),
  Log1p: Math.abs,
  Rsqrt: (x) => 0.1 + Math.abs(x),
  Sqrt: Math.abs,
  Reciprocal: (x) => x + Math.sign(x),
  Tan: Math.tanh,
  Pow: (x) => 0.5 + Math.abs(x),
  RealDiv: (x) => x + Math.sign(x),
  FloorDiv: (x) => Math.round(4 * x) + 0.25,
  Mod: (x) => Math.round(4 * x) + 0.25,
};

describe.each(levels)('native kernels with %s', (name) => {
  beforeAll(() => useLevel(name));

  it.each([...unaryOps])('compute %s of a tensor', async (op) => {
    const shape = anyShape();
    const x = normal(sizeOf(shape)).map((v) => (domains[op] ?? ((same: number) => same))(3 * v));
    await compare([[shape, x]], (graph, [input]) => {
      const given = isLogic(op) ? cast(graph, graph.add({ op: 'Relu', inputs: [input!], shape }), 'bool') : input!;
      return [number(graph, graph.add({ op, inputs: [given], shape, ...(isTruth.has(op) ? { dtype: 'bool' } : {}) }))];
    });
  });

  it.each([...binaryOps])('compute %s of tensors that broadcast over any axes', async (op) => {
    for (let trial = 0; trial < 8; trial++) {
      const shape = anyShape(1, 6);
      const factor = () => {
        const own = shape.map((n) => (random.below(3) === 0 ? 1 : n)).slice(random.below(shape.length));
        return [own, normal(sizeOf(own)).map((v) => (domains[op] ?? ((same: number) => same))(2 * v))] as const;
      };
      const [left, right] = [factor(), [shape, normal(sizeOf(shape)).map(domains[op] ?? ((v) => v))] as const];
      await compare(trial % 2 ? [left, right] : [right, left], (graph, inputs) => {
        const given = isLogic(op)
          ? inputs.map((x) => cast(graph, graph.add({ op: 'Relu', inputs: [x], shape: x.shape }), 'bool'))
          : inputs;
        return [number(graph, graph.add({ op, inputs: given, shape, ...(isTruth.has(op) ? { dtype: 'bool' } : {}) }))];
      });
    }
  });

  it.each<Op>(['Sum', 'Mean', 'Max', 'Min', 'Prod'])('take the %s over any axes', async (op) => {
    for (let trial = 0; trial < 20; trial++) {
      const shape = anyShape();
      const axes = shape.map((_, axis) => axis).filter(() => random.below(2) === 1);
      const keepDims = random.below(2) === 1;
      const kept = shape.flatMap((n, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [n]));
      await compare([[shape, normal(sizeOf(shape))]], (graph, inputs) => [
        graph.add({ op, inputs, attrs: { axes, keepDims }, shape: kept }),
      ]);
    }
  });

  it.each<[Op, number[], number[], Attributes, number[]]>([
    ['Sum', [1, 40_001], [0, 1], {}, []],
    ['Sum', [3, 5, 65_536], [2], {}, [3, 5]],
    ['Mean', [7, 130], [0, 1], {}, []],
    ['Max', [2, 70_000], [1], {}, [2]],
    ['Sum', [9, 300, 40], [0], {}, [300, 40]],
  ])('take the %s of long rows, [%s] over [%s]', async (op, shape, axes, _, kept) => {
    await compare([[shape, normal(sizeOf(shape))]], (graph, inputs) => [
      graph.add({ op, inputs, attrs: { axes, keepDims: false }, shape: kept }),
    ]);
  });

  it.each<Op>(['Softmax', 'LogSoftmax'])('compute %s of rows of any length', async (op) => {
    for (const shape of [[1], [3, 1], [5], [2, 3, 17], [4, 197], [300, 10], [2, 2, 33, 33], [1, 5000], [3, 1027]])
      await compare([[shape, normal(sizeOf(shape)).map((v) => 4 * v)]], (graph, inputs) => [
        graph.add({ op, inputs, shape }),
      ]);
  });

  it.each<Op>(['ArgMax', 'ArgMin'])('find %s along any axis, the first of equals', async (op) => {
    for (let trial = 0; trial < 10; trial++) {
      const shape = anyShape();
      const axis = random.below(shape.length);
      const given = normal(sizeOf(shape)).map((v) => Math.round(2 * v));
      await compare([[shape, given]], (graph, inputs) => [
        number(graph, graph.add({ op, inputs, attrs: { axis }, shape: shape.toSpliced(axis, 1), dtype: 'int32' })),
      ]);
    }
  });

  it('sum cumulatively along any axis', async () => {
    for (let trial = 0; trial < 12; trial++) {
      const shape = anyShape();
      const attrs = { axis: random.below(shape.length), exclusive: trial % 2 === 0, reverse: trial % 3 === 0 };
      await compare([[shape, normal(sizeOf(shape))]], (graph, inputs) => [graph.add({ op: 'Cumsum', inputs, attrs, shape })]); // prettier-ignore
    }
  });

  it('move numbers, truths and whole numbers of any rank', async () => {
    for (let trial = 0; trial < 12; trial++) {
      const shape = anyShape(1, 7);
      const perm = shuffled(shape.length);
      const begin = shape.map((n) => random.below(n));
      const strides = shape.map(() => between(1, 3));
      const reps = shape.map(() => between(1, 2));
      const before = shape.map((n) => between(0, n - 1));
      const after = shape.map((n) => between(0, n - 1));
      const mirrored = shape.map((n, axis) => n + before[axis]! + after[axis]!);
      await compare([[shape, normal(sizeOf(shape)).map((v) => Math.round(3 * v))]], (graph, [x]) =>
        [x!, cast(graph, x!, 'int32'), cast(graph, x!, 'bool')].flatMap((given) =>
          [
            graph.add({ op: 'Transpose', inputs: [given], attrs: { perm }, shape: perm.map((axis) => shape[axis]!) }),
            graph.add({ op: 'StridedSlice', inputs: [given], attrs: { begin, end: shape, strides }, shape: shape.map((n, axis) => Math.ceil((n - begin[axis]!) / strides[axis]!)) }), // prettier-ignore
            graph.add({ op: 'Tile', inputs: [given], attrs: { reps }, shape: shape.map((n, axis) => n * reps[axis]!) }),
            graph.add({ op: 'Concat', inputs: [given, given], attrs: { axis: 0 }, shape: shape.with(0, 2 * shape[0]!) }), // prettier-ignore
            graph.add({ op: 'MirrorPad', inputs: [given], attrs: { before, after, mode: 'reflect' }, shape: mirrored }),
            graph.add({
              op: 'MirrorPad',
              inputs: [given],
              attrs: { before, after, mode: 'symmetric' },
              shape: mirrored,
            }),
          ].map((node) => number(graph, node)),
        ),
      );
    }
  });

  it('look rows up on any axis, sum them by number, and mark them', async () => {
    for (let trial = 0; trial < 10; trial++) {
      const shape = anyShape(1, 4);
      const axis = random.below(shape.length);
      const places = anyShape(1, 2);
      const [rows, limit] = [sizeOf(places), between(1, 40)];
      const [one, other] = [wholes(rows, shape[axis]!), wholes(rows, limit)];
      await compare([[shape, normal(sizeOf(shape))], [places, one], [places, other], [[rows, 3, 7], normal(rows * 21)]], (graph, [x, a, b, y]) => [
        graph.add({ op: 'Gather', inputs: [x!, cast(graph, a!, 'int32')], attrs: { axis }, shape: [...shape.slice(0, axis), ...places, ...shape.slice(axis + 1)] }),
        graph.add({ op: 'SegmentSum', inputs: [y!, graph.add({ op: 'Reshape', inputs: [cast(graph, b!, 'int32')], shape: [rows], dtype: 'int32' })], shape: [limit, 3, 7] }),
        graph.add({ op: 'OneHot', inputs: [cast(graph, b!, 'int32')], attrs: { onValue: 2, offValue: -1 }, shape: [...places, limit + 1], dtype: 'float32' }),
      ]); // prettier-ignore
    }
  });

  it('sum many rows into a table of few columns, or of few rows', async () => {
    for (const [limit, columns] of [
      [1, 1],
      [2, 256],
      [1000, 5],
      [3, 17],
    ] as const) {
      const rows = 700;
      await compare([[[rows, columns], normal(rows * columns)], [[rows], wholes(rows, limit)]], (graph, [x, ids]) => [
        graph.add({ op: 'SegmentSum', inputs: [x!, cast(graph, ids!, 'int32')], shape: [limit, columns] }),
      ]); // prettier-ignore
    }
  });

  it('multiply batches of matrices whose leading axes broadcast, of any rank, flipped or not', async () => {
    for (let trial = 0; trial < 40; trial++) {
      const lead = anyShape(0, 4).map((n) => Math.min(n, 3));
      const [m, n, k] = [between(1, 40), between(1, 70), between(1, 40)];
      const own = () => lead.map((size) => (random.below(3) === 0 ? 1 : size)).slice(random.below(lead.length + 1));
      const [transposeA, transposeB] = [random.below(2) === 1, random.below(2) === 1];
      const left = [...(trial % 2 ? lead : own()), ...(transposeA ? [k, m] : [m, k])];
      const right = [...(trial % 2 ? own() : lead), ...(transposeB ? [n, k] : [k, n])];
      await compare([[left, normal(sizeOf(left))], [right, normal(sizeOf(right))]], (graph, inputs) => [
        graph.add({ op: 'MatMul', inputs, attrs: { transposeA, transposeB }, shape: [...lead, m, n] }),
      ]); // prettier-ignore
    }
  });

  it('multiply what products, transposed and sliced, give', async () => {
    const given = [
      [2, 3, 5, 4],
      [2, 3, 4, 6],
      [2, 5, 3, 7],
    ].map((shape) => [shape, normal(sizeOf(shape))] as const);
    const attrs = { transposeA: false, transposeB: false };
    await compare(given, (graph, [a, b, c]) => {
      const product = graph.add({ op: 'MatMul', inputs: [a!, b!], attrs, shape: [2, 3, 5, 6] });
      const flipped = graph.add({
        op: 'Transpose',
        inputs: [product],
        attrs: { perm: [0, 2, 3, 1] },
        shape: [2, 5, 6, 3],
      });
      const part = graph.add({ op: 'Slice', inputs: [flipped], attrs: { begin: [0, 0, 2, 0] }, shape: [2, 5, 3, 3] });
      const other = graph.add({
        op: 'Transpose',
        inputs: [product],
        attrs: { perm: [0, 2, 1, 3] },
        shape: [2, 5, 3, 6],
      });
      return [
        graph.add({ op: 'MatMul', inputs: [flipped, c!], attrs, shape: [2, 5, 6, 7] }),
        graph.add({ op: 'MatMul', inputs: [part, c!], attrs, shape: [2, 5, 3, 7] }),
        graph.add({ op: 'MatMul', inputs: [flipped, other], attrs, shape: [2, 5, 6, 6] }),
      ];
    });
    // Written as transposed, and stored nowhere else.
    await compare(given, (graph, [a, b, c]) => {
      const product = graph.add({ op: 'MatMul', inputs: [a!, b!], attrs, shape: [2, 3, 5, 6] });
      const heads = graph.add({
        op: 'Transpose',
        inputs: [product],
        attrs: { perm: [0, 2, 1, 3] },
        shape: [2, 5, 3, 6],
      });
      const turned = { transposeA: true, transposeB: false };
      return [graph.add({ op: 'MatMul', inputs: [heads, c!], attrs: turned, shape: [2, 5, 6, 7] })];
    });
  });

  it('multiply matrices whose leading axes alternate', async () => {
    const shape = [2, 2, 2, 2, 2, 2];
    const odd = shape.map((n, axis) => (axis % 2 ? n : 1));
    const even = shape.map((n, axis) => (axis % 2 ? 1 : n));
    const [left, right] = [
      [...odd, 3, 4],
      [...even, 4, 5],
    ];
    await compare([[left, normal(sizeOf(left))], [right, normal(sizeOf(right))]], (graph, inputs) => [
      graph.add({ op: 'MatMul', inputs, attrs: { transposeA: false, transposeB: false }, shape: [...shape, 3, 5] }),
    ]); // prettier-ignore
  });

  it('refuse whole numbers that a float cannot hold', async () => {
    await expect(
      compare([[[2], normal(2)]], (graph, [x]) => [
        number(graph, graph.add({ op: 'Add', inputs: [cast(graph, x!, 'int32'), graph.constant(2 ** 24 + 1, [2], 'int32')], shape: [2] })), // prettier-ignore
      ]),
    ).rejects.toThrow(/whole numbers beyond 16777216/);
  });
});

const cast = (graph: GraphBuilder, node: Node, dtype: Node['dtype']): Node =>
  graph.add({ op: 'Cast', inputs: [node], shape: node.shape, dtype });
const number = (graph: GraphBuilder, node: Node): Node => cast(graph, node, 'float32');
