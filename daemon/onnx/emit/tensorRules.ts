import type { Node } from '../../network/ir.js';
import { sameShape } from '../../network/ir.js';
import { type EmitRule, type Emitter, type Layout, unsupported } from './emitter.js';
import { onnxType } from './protobuf.js';

/** Rules of products of matrices, reductions, and everything that moves elements without computing. */

const numbers = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];

/** The axis of this layout for each axis of the natural one: NHWC -> NCHW. */
const axisIn = (layout: Layout) => (axis: number) => (layout === 'channels' ? [0, 2, 3, 1][axis]! : axis);

/** A list with one entry per axis, in the layout's order. */
const perAxis = (layout: Layout, list: readonly number[]) =>
  layout === 'channels' ? [0, 3, 1, 2].map((axis) => list[axis]!) : list;

const natural =
  (compute: (emitter: Emitter, inputs: string[], node: Node) => string): EmitRule =>
  (emitter, node) => {
    const inputs = node.inputs.map((input) => emitter.name(input));
    emitter.define(node, compute(emitter, inputs, node));
  };

/** Computed in the layout of its input. */
const inPlace =
  (compute: (emitter: Emitter, inputs: string[], node: Node, layout: Layout) => string): EmitRule =>
  (emitter, node) => {
    const layout = node.inputs.some((input) => emitter.layoutOf(input) === 'channels') ? 'channels' : 'natural';
    const inputs = node.inputs.map((input) => emitter.name(input, layout));
    emitter.define(node, compute(emitter, inputs, node, layout), layout);
  };

const flag = (node: Node, name: string) => Number(node.attrs[name] === true);

const matMul: EmitRule = natural((e, [a, b], node) => {
  const [transA, transB] = [flag(node, 'transposeA'), flag(node, 'transposeB')];
  if (node.shape.length === 2) return e.op('Gemm', [a!, b!], { transA, transB });
  if (!transA && !transB) return e.op('MatMul', [a!, b!]);
  return e.op('FusedMatMul', [a!, b!], { transA, transB }, 'com.microsoft');
});

/** A product of matrices plus a row becomes one Gemm. */
export function gemmWithBias(e: Emitter, node: Node): boolean {
  const [left, right] = node.inputs as [Node, Node];
  for (const [product, bias] of [
    [left, right],
    [right, left],
  ] as const) {
    if (product.op !== 'MatMul' || product.shape.length !== 2 || e.uses(product) !== 1) continue;
    if (bias.shape.length > 1 || !sameShape(product.shape, node.shape)) continue;
    const [a, b] = product.inputs as [Node, Node];
    const attrs = { transA: flag(product, 'transposeA'), transB: flag(product, 'transposeB') };
    e.define(node, e.op('Gemm', [e.name(a), e.name(b), e.name(bias)], attrs));
    return true;
  }
  return false;
}

const reduction =
  (op: string): EmitRule =>
  (e, node) => {
    const x = node.inputs[0]!;
    const axes = numbers(node, 'axes');
    // Without axes ONNX would reduce all of them.
    if (axes.length === 0) return e.define(node, e.name(x));
    const keepdims = flag(node, 'keepDims');
    // The result of an NCHW tensor is in natural order if the channels, or the whole image, are reduced.
    const ordered = keepdims || axes.includes(3) || (axes.includes(1) && axes.includes(2));
    const layout = ordered ? e.layoutOf(x) : 'natural';
    const name = e.op(op, [e.name(x, layout), e.ints(axes.map(axisIn(layout)))], { keepdims });
    e.define(node, name, keepdims && layout === 'channels' ? 'channels' : 'natural');
  };

const argument = (op: string) =>
  natural((e, [x], node) => {
    const found = e.op(op, [x!], { axis: node.attrs['axis'] as number, keepdims: 0 });
    return e.op('Cast', [found], { to: onnxType.int32 });
  });

const slice = inPlace((e, [x], node, layout) => {
  const begin = numbers(node, 'begin');
  const axes = begin.map((_, axis) => axis).filter((axis) => node.shape[axis] !== node.inputs[0]!.shape[axis]);
  const ends = axes.map((axis) => begin[axis]! + node.shape[axis]!);
  const starts = axes.map((axis) => begin[axis]!);
  return e.op('Slice', [x!, e.ints(starts), e.ints(ends), e.ints(axes.map(axisIn(layout)))]);
});

const stridedSlice = natural((e, [x], node) => {
  const axes = node.shape.map((_, axis) => axis);
  const [begin, end, strides] = ['begin', 'end', 'strides'].map((name) => e.ints(numbers(node, name)));
  return e.op('Slice', [x!, begin!, end!, e.ints(axes), strides!]);
});

const pads = (node: Node, layout: Layout) => [
  ...perAxis(layout, numbers(node, 'before')),
  ...perAxis(layout, numbers(node, 'after')),
];

const segmentSum = natural((e, [x, ids], node) => {
  const zeros = e.op('Expand', [e.scalar(0), e.ints(node.shape)]);
  const rows = e.op('Cast', [e.reshape(ids!, [...node.inputs[1]!.shape, 1])], { to: onnxType.int64 });
  return e.op('ScatterND', [zeros, rows, x!], { reduction: 'add' });
});

export const tensorRules: Readonly<Record<string, EmitRule>> = {
  MatMul: matMul,
  Sum: reduction('ReduceSum'),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: natural((e, [x]) => e.op('Softmax', [x!], { axis: -1 })),
  LogSoftmax: natural((e, [x]) => e.op('LogSoftmax', [x!], { axis: -1 })),
  Reshape: natural((e, [x], node) => e.reshape(x!, node.shape)),
  Transpose: natural((e, [x], node) => e.op('Transpose', [x!], { perm: numbers(node, 'perm') })),
  Slice: slice,
  StridedSlice: stridedSlice,
  Concat: inPlace((e, inputs, node, layout) =>
    e.op('Concat', inputs, { axis: axisIn(layout)(node.attrs['axis'] as number) }),
  ),
  Pad: inPlace((e, [x], node, layout) =>
    e.op('Pad', [x!, e.ints(pads(node, layout)), e.number(node.attrs['value'] as number, node.dtype)]),
  ),
  MirrorPad: natural((e, [x], node) => {
    if (node.attrs['mode'] !== 'reflect') throw unsupported(node, 'in symmetric mode has no ONNX operator');
    return e.op('Pad', [x!, e.ints(pads(node, 'natural'))], { mode: 'reflect' });
  }),
  Tile: inPlace((e, [x], node, layout) => e.op('Tile', [x!, e.ints(perAxis(layout, numbers(node, 'reps')))])),
  Reverse: inPlace((e, [x], node, layout) => {
    const axes = numbers(node, 'axes');
    const all = (value: number) => e.ints(axes.map(() => value));
    return e.op('Slice', [x!, all(-1), all(-(2 ** 31)), e.ints(axes.map(axisIn(layout))), all(-1)]);
  }),
  Gather: natural((e, [x, indices], node) => e.op('Gather', [x!, indices!], { axis: node.attrs['axis'] as number })),
  SegmentSum: segmentSum,
  // ONNX's own OneHot counts negative indices from the end, and onnxruntime has none for int32.
  OneHot: natural((e, [indices], node) => {
    const places = e.tensor(
      'int32',
      [node.shape.at(-1)!],
      Int32Array.from({ length: node.shape.at(-1)! }, (_, i) => i),
    );
    const here = e.op('Equal', [e.reshape(indices!, [...node.inputs[0]!.shape, 1]), places]);
    const hot = e.op('Where', [here, e.scalar(node.attrs['onValue'] as number), e.scalar(node.attrs['offValue'] as number)]); // prettier-ignore
    return node.dtype === 'float32' ? hot : e.op('Cast', [hot], { to: onnxType[node.dtype] });
  }),
  Cumsum: natural((e, [x], node) =>
    e.op('CumSum', [x!, e.tensor('int64', [], BigInt64Array.of(BigInt(node.attrs['axis'] as number)))], {
      exclusive: flag(node, 'exclusive'),
      reverse: flag(node, 'reverse'),
    }),
  ),
};
