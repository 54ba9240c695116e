import { backend_util } from '@tensorflow/tfjs-core';
import type { GraphBuilder } from '../../network/builder.js';
import type { Attributes, BinaryOp, Node } from '../../network/ir.js';
import { checkFit } from './imageKernels.js';
import {
  asImages,
  asRows,
  convolveVolume,
  convolveVolumeBack,
  type Depth,
  places,
  seen,
} from '../../network/volumes.js';
import { addReshape, type KernelCall, type KernelRule } from './kernels.js';

/** Kernels over volumes (rank 5, NDHWC), expressed by images (network/volumes.ts). A pooling window pools each frame, then the frames. */

type Shape5 = [number, number, number, number, number];

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
 * With strides that step beyond the windows, "same" needs no padding. TensorFlow.js counts the skipped rows as negative padding of
 * volumes (computeConv3DInfo); TensorFlow does not.
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
  const { x, filter } = call.inputs as Record<'x' | 'filter', Node>;
  const { depth, attributes, outShape } = convInfo(call, x.shape, filter.shape);
  return convolveVolume(call.graph, x, filter, depth, attributes, outShape);
};

const conv3DBackpropInput: KernelRule = (call) => {
  const { dy, filter } = call.inputs as Record<'dy' | 'filter', Node>;
  const shape = call.attrs['inputShape'] as Shape5;
  const { depth, attributes } = convInfo(call, shape, filter.shape);
  return convolveVolumeBack(call.graph, dy, filter, depth, attributes, shape);
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

/** Less than every value; not infinite, so that products with 0 stay 0. */
const lowest = -3e38;

const maxOfWindows = (graph: GraphBuilder, frames: Node, { depth, batch }: PoolInfo): Node[] =>
  places(depth).map((k) => seen(graph, asRows(graph, frames, batch), depth, k, lowest));

const maxPool3D: KernelRule = (call) => {
  const { graph, inputs } = call;
  const info = poolInfo(call, inputs['x']!.shape);
  const frames = maxOfWindows(graph, poolFrames(graph, 'MaxPool', inputs['x']!, info), info);
  return addReshape(graph, frames.reduce((a, b) => binary(graph, 'Maximum', a, b)), info.outShape); // prettier-ignore
};

/** Divides the windows' rows by the number of frames that each window has inside the volume. */
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
