import type { GraphBuilder } from '../../network/builder.js';
import type { DType, Node } from '../../network/ir.js';
import { addReshape, axesOf, type KernelCall, type KernelRule } from './kernels.js';
import { sizeOf } from '../../protocol/shape.js';

/** Rules of the kernels that move elements: reshaping, slicing, joining, padding, gathering. */

type Numbers = readonly number[];

const list = (inputs: KernelCall['inputs']): Node[] => Object.values(inputs);

function addSlice(graph: GraphBuilder, x: Node, begin: Numbers, size: Numbers): Node {
  const shape = size.map((n, i) => (n < 0 ? x.shape[i]! - begin[i]! : n));
  return graph.add({ op: 'Slice', inputs: [x], attrs: { begin }, shape });
}

/** Cuts consecutive slices of the given lengths along an axis. */
function addSplit(graph: GraphBuilder, x: Node, sizes: Numbers, axis: number): Node[] {
  let at = 0;
  return sizes.map((size) => {
    const begin = x.shape.map((_, i) => (i === axis ? at : 0));
    at += size;
    return addSlice(graph, x, begin, x.shape.with(axis, size));
  });
}

function addConcat(graph: GraphBuilder, parts: readonly Node[], axis: number): Node {
  const some = parts.filter((part) => sizeOf(part.shape) > 0);
  const full = some.length > 0 ? some : parts;
  const length = full.reduce((sum, part) => sum + part.shape[axis]!, 0);
  return graph.add({ op: 'Concat', inputs: full, attrs: { axis }, shape: full[0]!.shape.with(axis, length) });
}

const stridedSlice: KernelRule = ({ graph, inputs, attrs }) => {
  const x = inputs['x']!;
  const masks = ['beginMask', 'endMask', 'ellipsisMask', 'newAxisMask', 'shrinkAxisMask'];
  if (masks.some((mask) => attrs[mask])) throw new RangeError('StridedSlice with masks has no rule');
  const [begin, end, strides] = ['begin', 'end', 'strides'].map((name) => attrs[name] as number[]);
  if (strides!.some((stride) => stride < 1)) throw new RangeError('StridedSlice with negative strides has no rule');
  const clip = (v: number, n: number) => Math.min(Math.max(v < 0 ? v + n : v, 0), n);
  // Axes after the given ones are taken whole.
  const from = x.shape.map((n, i) => clip(begin![i] ?? 0, n));
  const to = x.shape.map((n, i) => Math.max(from[i]!, clip(end![i] ?? n, n)));
  const steps = x.shape.map((_, i) => strides![i] ?? 1);
  const shape = steps.map((step, i) => Math.ceil((to[i]! - from[i]!) / step));
  return graph.add({ op: 'StridedSlice', inputs: [x], attrs: { begin: from, end: to, strides: steps }, shape });
};

const sides = (paddings: Numbers[]) => [paddings.map((p) => p[0]!), paddings.map((p) => p[1]!)] as const;

function addPad(graph: GraphBuilder, x: Node, paddings: readonly Numbers[], value: number): Node {
  const [before, after] = sides([...paddings]);
  const shape = x.shape.map((n, i) => n + before[i]! + after[i]!);
  return graph.add({ op: 'Pad', inputs: [x], attrs: { before, after, value }, shape });
}

export const shapeKernelRules: Readonly<Record<string, KernelRule>> = {
  Reshape: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const wanted = attrs['shape'] as number[];
    const known = sizeOf(wanted.filter((n) => n >= 0));
    return addReshape(graph, x, wanted.map((n) => (n < 0 ? sizeOf(x.shape) / known : n))); // prettier-ignore
  },
  ExpandDims: ({ graph, inputs, attrs }) => {
    const { shape } = inputs['input']!;
    const dim = attrs['dim'] as number;
    return addReshape(graph, inputs['input']!, shape.toSpliced(dim < 0 ? dim + shape.length + 1 : dim, 0, 1));
  },
  Transpose: ({ graph, inputs, attrs }) => {
    const perm = attrs['perm'] as number[];
    const x = inputs['x']!;
    return graph.add({ op: 'Transpose', inputs: [x], attrs: { perm }, shape: perm.map((i) => x.shape[i]!) });
  },
  Concat: ({ graph, inputs, attrs }) => {
    const parts = list(inputs);
    return addConcat(graph, parts, axesOf(attrs['axis'], parts[0]!.shape.length)[0]!);
  },
  Pack: ({ graph, inputs, attrs }) => {
    const parts = list(inputs);
    const [axis] = axesOf(attrs['axis'], parts[0]!.shape.length + 1) as [number];
    return addConcat(
      graph,
      parts.map((part) => addReshape(graph, part, part.shape.toSpliced(axis, 0, 1))),
      axis,
    );
  },
  Unpack: ({ graph, inputs, attrs }) => {
    const x = inputs['value']!;
    const [axis] = axesOf(attrs['axis'], x.shape.length) as [number];
    const sizes = Array.from({ length: x.shape[axis]! }, () => 1);
    return addSplit(graph, x, sizes, axis).map((part) => addReshape(graph, part, x.shape.toSpliced(axis, 1)));
  },
  SplitV: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const [axis] = axesOf(attrs['axis'], x.shape.length) as [number];
    const wanted = attrs['numOrSizeSplits'] as number | number[];
    const length = x.shape[axis]!;
    const given = typeof wanted === 'number' ? Array<number>(wanted).fill(length / wanted) : wanted;
    const rest = length - given.reduce((sum, n) => sum + Math.max(n, 0), 0);
    return addSplit(graph, x, given.map((n) => (n < 0 ? rest : n)), axis); // prettier-ignore
  },
  Slice: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const padded = (value: unknown, fill: number) => x.shape.map((_, i) => ([value].flat() as number[])[i] ?? fill);
    return addSlice(graph, x, padded(attrs['begin'], 0), padded(attrs['size'], -1));
  },
  StridedSlice: stridedSlice,
  PadV2: ({ graph, inputs, attrs }) => addPad(graph, inputs['x']!, attrs['paddings'] as number[][], attrs['constantValue'] as number), // prettier-ignore
  MirrorPad: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const [before, after] = sides(attrs['paddings'] as number[][]);
    const shape = x.shape.map((n, i) => n + before[i]! + after[i]!);
    return graph.add({ op: 'MirrorPad', inputs: [x], attrs: { before, after, mode: attrs['mode'] as string }, shape });
  },
  Tile: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const reps = attrs['reps'] as number[];
    return graph.add({ op: 'Tile', inputs: [x], attrs: { reps }, shape: x.shape.map((n, i) => n * reps[i]!) });
  },
  Reverse: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    return graph.add({ op: 'Reverse', inputs: [x], attrs: { axes: axesOf(attrs['dims'], x.shape.length) }, shape: x.shape }); // prettier-ignore
  },
  GatherV2: ({ graph, inputs, attrs }) => {
    const { x, indices } = inputs as Record<'x' | 'indices', Node>;
    if (attrs['batchDims']) throw new RangeError('GatherV2 with batchDims has no rule');
    const [axis] = axesOf(attrs['axis'], x.shape.length) as [number];
    const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
    return graph.add({ op: 'Gather', inputs: [x, indices], attrs: { axis }, shape });
  },
  OneHot: ({ graph, inputs, attrs }) => {
    const { depth, onValue, offValue, dtype } = attrs as { depth: number; onValue: number; offValue: number; dtype?: DType }; // prettier-ignore
    const indices = inputs['indices']!;
    const shape = [...indices.shape, depth];
    return graph.add({
      op: 'OneHot',
      inputs: [indices],
      attrs: { onValue, offValue },
      shape,
      dtype: dtype ?? 'float32',
    });
  },
  Cumsum: ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const [axis] = axesOf(attrs['axis'], x.shape.length) as [number];
    const flags = { exclusive: attrs['exclusive'] === true, reverse: attrs['reverse'] === true };
    return graph.add({ op: 'Cumsum', inputs: [x], attrs: { axis, ...flags }, shape: x.shape });
  },
};
