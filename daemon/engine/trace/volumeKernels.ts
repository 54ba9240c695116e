import { backend_util } from '@tensorflow/tfjs-core';
import type { GraphBuilder } from '../../network/builder.js';
import type { Attributes, BinaryOp, Node } from '../../network/ir.js';
import { checkFit } from './imageKernels.js';
import { addReshape, type KernelCall, type KernelRule } from './kernels.js';
import { sizeOf } from '../../protocol/shape.js';

/**
 * Kernels over volumes (rank 5, NDHWC), in terms of those over images: a filter of depth k sees k frames at a time, laid
 * side by side as channels of one image; a pooling window pools each frame, then its frames.
 */

type Shape5 = [number, number, number, number, number];

/** How windows slide along the depth. */
interface Depth {
  readonly frames: number;
  readonly windows: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

interface VolumeInfo {
  readonly padInfo: Record<'front' | 'back' | 'top' | 'left' | 'bottom' | 'right', number>;
  readonly inDepth: number;
  readonly outDepth: number;
  readonly strideDepth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationDepth: number;
  readonly effectiveFilterHeight: number;
  readonly effectiveFilterWidth: number;
  readonly filterDepth: number;
  readonly outShape: readonly number[];
}

const depthOf = (info: VolumeInfo): Depth => ({
  frames: info.inDepth,
  windows: info.outDepth,
  size: info.filterDepth,
  stride: info.strideDepth,
  dilation: info.dilationDepth,
  before: info.padInfo.front,
  after: info.padInfo.back,
});

/**
 * Where strides step beyond the windows, "same" needs no padding; TensorFlow.js counts what is skipped as negative padding of
 * volumes (computeConv3DInfo), TensorFlow does not.
 */
function withoutNegativePads<T extends VolumeInfo>(info: T): T {
  const ends = [['front', 'back'], ['top', 'bottom'], ['left', 'right']] as const; // prettier-ignore
  const pads = ends.flatMap(
    ([start, end]) =>
    info.padInfo[start] + info.padInfo[end] < 0 ? [[start, 0], [end, 0]] : [], // prettier-ignore
  );
  return { ...info, padInfo: { ...info.padInfo, ...Object.fromEntries(pads) } };
}

const slidingAttrs = ({
  strideHeight,
  strideWidth,
  padInfo: { top, left, bottom, right },
}: VolumeInfo): Attributes => ({
  strides: [strideHeight, strideWidth],
  pads: [top, left, bottom, right],
});

const binary = (graph: GraphBuilder, op: BinaryOp, a: Node, b: Node): Node =>
  graph.add({ op, inputs: [a, b], shape: a.shape, dtype: op === 'Equal' ? 'bool' : a.dtype });
const add = (graph: GraphBuilder) => (a: Node, b: Node) => binary(graph, 'Add', a, b);

/** Frames as rows, [batch, frames, numbers], with rows of `value` before and after. */
function pad(graph: GraphBuilder, rows: Node, before: number, after: number, value = 0): Node {
  const [batch, frames, size] = rows.shape as [number, number, number];
  const attrs = { before: [0, before, 0], after: [0, after, 0], value };
  const shape = [batch, before + frames + after, size];
  return before + after === 0 ? rows : graph.add({ op: 'Pad', inputs: [rows], attrs, shape });
}

/** Of [batch, frames, numbers]: what the k-th place of each window sees, [batch, windows, numbers]; padding is `value`. */
function seen(graph: GraphBuilder, rows: Node, depth: Depth, k: number, value = 0): Node {
  const padded = pad(graph, rows, depth.before, depth.after, value);
  const [batch, , size] = padded.shape as [number, number, number];
  const begin = k * depth.dilation;
  const end = begin + (depth.windows - 1) * depth.stride + 1;
  const attrs = { begin: [0, begin, 0], end: [batch, end, size], strides: [1, depth.stride, 1] };
  return graph.add({ op: 'StridedSlice', inputs: [padded], attrs, shape: [batch, depth.windows, size] });
}

/** The transpose of `seen`: rows of windows put where their k-th place is, zeros elsewhere; [batch, frames, numbers]. */
function putBack(graph: GraphBuilder, rows: Node, depth: Depth, k: number): Node {
  const [batch, windows, size] = rows.shape as [number, number, number];
  // Zeros between the windows: each row with stride - 1 rows of zeros behind it, all but the last ones.
  const spaced = pad(graph, addReshape(graph, rows, [batch * windows, 1, size]), 0, depth.stride - 1);
  const span = (windows - 1) * depth.stride + 1;
  const slice = (node: Node, begin: number, length: number) =>
    graph.add({ op: 'Slice', inputs: [node], attrs: { begin: [0, begin, 0] }, shape: [batch, length, size] });
  const run = slice(addReshape(graph, spaced, [batch, windows * depth.stride, size]), 0, span);
  const before = k * depth.dilation;
  const whole = depth.before + depth.frames + depth.after;
  const placed = pad(graph, run, before, Math.max(0, whole - before - span));
  return slice(placed, depth.before, depth.frames);
}

/** [batch, depth, height, width, channels] as [batch * depth, height, width, channels], or any other four axes. */
const asImages = (graph: GraphBuilder, volume: Node): Node => {
  const [batch, depth, ...image] = volume.shape as Shape5;
  return addReshape(graph, volume, [batch * depth, ...image]);
};

/** One row of numbers a frame. */
const asRows = (graph: GraphBuilder, node: Node, batch: number): Node => {
  const frames = node.shape.length === 5 ? node.shape[1]! : node.shape[0]! / batch;
  return addReshape(graph, node, [batch, frames, sizeOf(node.shape) / batch / frames]);
};

const places = ({ size }: Depth) => Array.from({ length: size }, (_, k) => k);

/** Each window's frames side by side: [batch * windows, height, width, size * channels]. */
function framesOfWindows(graph: GraphBuilder, x: Node, depth: Depth): Node {
  const [batch, , h, w, c] = x.shape as Shape5;
  const rows = asRows(graph, x, batch);
  const images = places(depth).map((k) => addReshape(graph, seen(graph, rows, depth, k), [batch * depth.windows, h, w, c])); // prettier-ignore
  const shape = [batch * depth.windows, h, w, depth.size * c];
  return images.length === 1 ? images[0]! : graph.add({ op: 'Concat', inputs: images, attrs: { axis: 3 }, shape });
}

/** [depth, height, width, channels, filters] -> [height, width, depth * channels, filters]. */
function filterOfWindows(graph: GraphBuilder, filter: Node): Node {
  const [d, h, w, c, f] = filter.shape as Shape5;
  const flat = addReshape(graph, filter, [d, h * w, c * f]);
  const turned = graph.add({ op: 'Transpose', inputs: [flat], attrs: { perm: [1, 0, 2] }, shape: [h * w, d, c * f] });
  return addReshape(graph, turned, [h, w, d * c, f]);
}

type Pad = 'valid' | 'same';
type Triple = [number, number, number] | number;

function convInfo({ attrs }: KernelCall, input: readonly number[], filter: readonly number[]) {
  const { strides, dilations = 1, pad: padding, dataFormat = 'NDHWC' } = attrs as { strides: Triple; dilations?: Triple; pad: Pad; dataFormat?: string }; // prettier-ignore
  if (dataFormat !== 'NDHWC') throw new RangeError('convolutions of NCDHW volumes have no rule');
  const info = withoutNegativePads(
    backend_util.computeConv3DInfo([...input] as Shape5, [...filter] as Shape5, strides, dilations, padding),
  );
  checkFit(input, info);
  const attributes = { ...slidingAttrs(info), dilations: [info.dilationHeight, info.dilationWidth] };
  return { depth: depthOf(info), attributes, outShape: info.outShape };
}

const conv3D: KernelRule = (call) => {
  const { graph, inputs } = call;
  const { x, filter } = inputs as Record<'x' | 'filter', Node>;
  const { depth, attributes, outShape } = convInfo(call, x.shape, filter.shape);
  const [batch, windows, ...image] = outShape;
  const images = framesOfWindows(graph, x, depth);
  const shape = [batch * windows, ...image];
  const y = graph.add({ op: 'Conv2D', inputs: [images, filterOfWindows(graph, filter)], attrs: attributes, shape });
  return addReshape(graph, y, outShape);
};

const conv3DBackpropInput: KernelRule = (call) => {
  const { graph, inputs, attrs } = call;
  const { dy, filter } = inputs as Record<'dy' | 'filter', Node>;
  const shape = attrs['inputShape'] as Shape5;
  const { depth, attributes } = convInfo(call, shape, filter.shape);
  const [batch, , h, w, c] = shape;
  const frames = [batch * depth.windows, h, w, c] as const;
  const side = graph.add({
    op: 'Conv2DBackpropInput',
    inputs: [asImages(graph, dy), filterOfWindows(graph, filter)],
    attrs: attributes,
    shape: frames.with(3, depth.size * c),
  });
  const sums = places(depth).map((k) => {
    const own = graph.add({ op: 'Slice', inputs: [side], attrs: { begin: [0, 0, 0, k * c] }, shape: frames });
    return putBack(graph, asRows(graph, own, batch), depth, k);
  });
  return addReshape(graph, sums.reduce(add(graph)), shape);
};

function poolInfo({ attrs }: KernelCall, input: readonly number[]) {
  const { filterSize, strides, pad: padding, dimRoundingMode } = attrs as { filterSize: Triple; strides: Triple; pad: Pad; dimRoundingMode?: 'floor' }; // prettier-ignore
  const info = withoutNegativePads(
    backend_util.computePool3DInfo([...input] as Shape5, filterSize, strides, 1, padding, dimRoundingMode),
  );
  checkFit(input, info);
  const attributes = { ...slidingAttrs(info), window: [info.effectiveFilterHeight, info.effectiveFilterWidth] };
  const [batch, windows, h, w, c] = info.outShape as Shape5;
  return { depth: depthOf(info), attributes, outShape: info.outShape, batch, pooled: [batch * info.inDepth, h, w, c], rows: [batch, windows, h * w * c] }; // prettier-ignore
}
type PoolInfo = ReturnType<typeof poolInfo>;

const poolFrames = (graph: GraphBuilder, op: 'MaxPool' | 'AvgPool', x: Node, { attributes, pooled }: PoolInfo): Node =>
  graph.add({ op, inputs: [asImages(graph, x)], attrs: attributes, shape: pooled });

/** Below every number; not infinite, so that products with 0 stay 0. */
const lowest = -3e38;

const maxOfWindows = (graph: GraphBuilder, frames: Node, { depth, batch }: PoolInfo): Node[] =>
  places(depth).map((k) => seen(graph, asRows(graph, frames, batch), depth, k, lowest));

const maxPool3D: KernelRule = (call) => {
  const { graph, inputs } = call;
  const info = poolInfo(call, inputs['x']!.shape);
  const frames = maxOfWindows(graph, poolFrames(graph, 'MaxPool', inputs['x']!, info), info);
  return addReshape(graph, frames.reduce((a, b) => binary(graph, 'Maximum', a, b)), info.outShape); // prettier-ignore
};

/** Windows' rows over the number of frames that each has inside the volume. */
function overFrames(graph: GraphBuilder, rows: Node, { depth }: PoolInfo): Node {
  const [batch, windows, size] = rows.shape as [number, number, number];
  const shares = Float32Array.from({ length: windows * size }, (_, i) => {
    const start = Math.floor(i / size) * depth.stride - depth.before;
    return 1 / (Math.min(start + depth.size, depth.frames) - Math.max(start, 0));
  });
  const flat = addReshape(graph, rows, [batch, windows * size]);
  return addReshape(graph, binary(graph, 'Multiply', flat, graph.constant(shares, [windows * size])), rows.shape);
}

const avgPool3D: KernelRule = (call) => {
  const { graph, inputs } = call;
  const info = poolInfo(call, inputs['x']!.shape);
  const rows = asRows(graph, poolFrames(graph, 'AvgPool', inputs['x']!, info), info.batch);
  const sum = places(info.depth)
    .map((k) => seen(graph, rows, info.depth, k))
    .reduce(add(graph));
  return addReshape(graph, overFrames(graph, sum, info), info.outShape);
};

export const volumeKernelRules: Readonly<Record<string, KernelRule>> = {
  Conv3D: conv3D,
  Conv3DBackpropInputV2: conv3DBackpropInput,
  MaxPool3D: maxPool3D,
  AvgPool3D: avgPool3D,
};
