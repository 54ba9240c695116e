/** Adds reductions, movements and look-ups to random graphs. */
import type { Node, Op } from '../../../daemon/network/ir.js';
import type { Production } from './elementwise.js';
import type { Growth } from './growth.js';

const someAxes = (g: Growth, { shape }: Node): number[] => [...shape.keys()].filter(() => g.chance(0.6));

const reduction =
  (op: 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod'): Production =>
  (g) => {
    const x = g.any();
    return g.make.reduce(op, x, someAxes(g, x), g.chance(0.3));
  };

const argument =
  (op: 'ArgMax' | 'ArgMin'): Production =>
  (g) => {
    const x = g.any(g.between(1, 4));
    const axis = g.below(x.shape.length);
    const found = g.graph.add({ op, inputs: [x], attrs: { axis }, shape: x.shape.toSpliced(axis, 1), dtype: 'int32' });
    return g.make.mul(g.make.cast(found, 'float32'), g.ofShape(found.shape));
  };

const overLast =
  (op: 'Softmax' | 'LogSoftmax'): Production =>
  (g) => {
    const x = g.any(g.between(1, 4));
    return g.graph.add({ op, inputs: [x], shape: x.shape });
  };

const paddings = (g: Growth, { shape }: Node, most: (n: number) => number) => [0, 1].map(() => shape.map((n) => (g.chance(0.5) ? 0 : g.below(most(n) + 1)))) as [number[], number[]]; // prettier-ignore

export const alongAxes = {
  Sum: reduction('Sum'),
  Mean: reduction('Mean'),
  Max: reduction('Max'),
  Min: reduction('Min'),
  Prod: reduction('Prod'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: overLast('Softmax'),
  LogSoftmax: overLast('LogSoftmax'),
  Cumsum: (g) => {
    const x = g.any(g.between(1, 4));
    const attrs = { axis: g.below(x.shape.length), exclusive: g.chance(0.5), reverse: g.chance(0.5) };
    return g.graph.add({ op: 'Cumsum', inputs: [x], attrs, shape: x.shape });
  },
  Reshape: (g) => {
    const x = g.any();
    return g.make.reshape(x, g.factors(x, g.between(1, 4)));
  },
  Transpose: (g) => {
    const x = g.any(g.between(2, 4));
    const perm = Uint32Array.from(x.shape.keys());
    g.random.shuffle(perm);
    return g.make.transpose(x, [...perm]);
  },
  Slice: (g) => {
    const x = g.any(g.between(1, 4));
    const shape = x.shape.map((n) => g.between(1, n));
    return g.make.slice(x, x.shape.map((n, axis) => g.below(n - shape[axis]! + 1)), shape); // prettier-ignore
  },
  StridedSlice: (g) => {
    const x = g.any(g.between(1, 4));
    const strides = x.shape.map(() => g.between(1, 3));
    const begin = x.shape.map((n) => g.below(n));
    const end = x.shape.map((n, axis) => g.between(begin[axis]! + 1, n));
    const shape = strides.map((stride, axis) => Math.ceil((end[axis]! - begin[axis]!) / stride));
    return g.graph.add({ op: 'StridedSlice', inputs: [x], attrs: { begin, end, strides }, shape });
  },
  Concat: (g) => {
    const first = g.any(g.between(1, 4));
    const axis = g.below(first.shape.length);
    const others = Array.from({ length: g.below(3) }, () =>
      g.chance(0.2) ? first : g.ofShape(first.shape.with(axis, g.between(1, 3))),
    );
    const inputs = [first, ...others];
    const length = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return g.graph.add({ op: 'Concat', inputs, attrs: { axis }, shape: first.shape.with(axis, length) });
  },
  Pad: (g) => {
    const x = g.any(g.between(1, 4));
    return g.make.pad(x, ...paddings(g, x, () => 2), g.one([0, 0.5]));
  },
  MirrorPad: (g) => {
    const x = g.any(g.between(1, 4));
    const mode = g.one(['reflect', 'symmetric']);
    const [before, after] = paddings(g, x, (n) => (mode === 'reflect' ? n - 1 : n));
    const shape = x.shape.map((n, axis) => before[axis]! + n + after[axis]!);
    return g.graph.add({ op: 'MirrorPad', inputs: [x], attrs: { before, after, mode }, shape });
  },
  Tile: (g) => {
    const x = g.any(g.between(1, 4));
    const reps = x.shape.map(() => (g.chance(0.5) ? 1 : g.between(1, 3)));
    return g.graph.add({ op: 'Tile', inputs: [x], attrs: { reps }, shape: x.shape.map((n, axis) => n * reps[axis]!) });
  },
  Reverse: (g) => {
    const x = g.any(g.between(1, 4));
    return g.make.reverse(x, someAxes(g, x));
  },
  Gather: (g) => {
    const x = g.any(g.between(1, 4));
    const axis = g.below(x.shape.length);
    const indices = g.indices(g.shape(g.below(3)), x.shape[axis]!);
    const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
    return g.graph.add({ op: 'Gather', inputs: [x, indices], attrs: { axis }, shape });
  },
  SegmentSum: (g) => {
    const x = g.any(g.between(1, 4));
    const rows = g.between(1, 4);
    const ids = g.indices([x.shape[0]!], rows);
    return g.graph.add({ op: 'SegmentSum', inputs: [x, ids], shape: x.shape.with(0, rows) });
  },
  OneHot: (g) => {
    const indices = g.indices(g.shape(g.between(1, 2)), 4);
    const attrs = { onValue: g.real(-2, 2), offValue: g.real(-1, 1) };
    const shape = [...indices.shape, g.between(2, 4)];
    const hot = g.graph.add({ op: 'OneHot', inputs: [indices], attrs, shape, dtype: 'float32' });
    return g.make.mul(hot, g.ofShape(shape));
  },
} satisfies Partial<Record<Op, Production>>;
