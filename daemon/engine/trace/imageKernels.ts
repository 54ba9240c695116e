import { backend_util } from '@tensorflow/tfjs-core';
import type { Attributes, Node, Op } from '../../network/ir.js';
import { addBiasAndActivation, type KernelCall, type KernelRule } from './kernels.js';

/** Rules of the kernels over images (rank 4, NHWC): convolutions, pooling, resizing. Padding becomes explicit. */

type Shape4 = [number, number, number, number];
type Pad = Parameters<typeof backend_util.computeConv2DInfo>[4];
type Rounding = 'floor' | 'round' | 'ceil' | undefined;
type Window = number | [number, number];
type ConvInfo = ReturnType<typeof backend_util.computeConv2DInfo>;

const pair = (value: unknown): [number, number] =>
  typeof value === 'number' ? [value, value] : ((value as [number, number] | undefined) ?? [1, 1]);

/** TensorFlow.js makes an empty tensor, or one of negative size, when a window does not fit. @throws RangeError */
export function checkFit<Info extends { readonly outShape: readonly number[] }>(
  input: readonly number[],
  info: Info,
): Info {
  if (info.outShape.every((n) => n >= 1)) return info;
  throw new RangeError(`its window does not fit into its input, of shape [${input}]`);
}

const pads = ({ padInfo: { top, left, bottom, right } }: ConvInfo) => [top, left, bottom, right];

function convInfo(attrs: KernelCall['attrs'], input: readonly number[], filter: readonly number[], depthwise: boolean) {
  if ((attrs['dataFormat'] ?? 'NHWC') !== 'NHWC') throw new RangeError('convolutions of NCHW images have no rule');
  const info = backend_util.computeConv2DInfo(
    [...input] as Shape4,
    [...filter] as Shape4,
    pair(attrs['strides']),
    pair(attrs['dilations']),
    attrs['pad'] as Pad,
    attrs['dimRoundingMode'] as Rounding,
    depthwise,
  );
  return checkFit(input, info);
}

const convAttrs = (info: ConvInfo): Attributes => ({
  strides: [info.strideHeight, info.strideWidth],
  dilations: [info.dilationHeight, info.dilationWidth],
  pads: pads(info),
});

function convolution(op: 'Conv2D' | 'DepthwiseConv2D', call: KernelCall): Node {
  const { x, filter } = call.inputs as Record<'x' | 'filter', Node>;
  const info = convInfo(call.attrs, x.shape, filter.shape, op === 'DepthwiseConv2D');
  return call.graph.add({ op, inputs: [x, filter], attrs: convAttrs(info), shape: info.outShape });
}

/** Records the operation that a transposed convolution computes. */
const backpropInput: KernelRule = ({ graph, inputs, attrs }) => {
  const { dy, filter } = inputs as Record<'dy' | 'filter', Node>;
  const shape = attrs['inputShape'] as number[];
  const info = convInfo(attrs, shape, filter.shape, false);
  return graph.add({ op: 'Conv2DBackpropInput', inputs: [dy, filter], attrs: convAttrs(info), shape });
};

function poolInfo(attrs: KernelCall['attrs'], input: readonly number[]) {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const info = backend_util.computePool2DInfo(
    [...input] as Shape4,
    filterSize as Window,
    strides as Window,
    1,
    pad as Pad,
    dimRoundingMode as Rounding,
  );
  checkFit(input, info);
  return {
    shape: info.outShape,
    attrs: {
      window: [info.effectiveFilterHeight, info.effectiveFilterWidth],
      strides: [info.strideHeight, info.strideWidth],
      pads: pads(info as unknown as ConvInfo),
    },
  };
}

const pool =
  (op: Op): KernelRule =>
  ({ graph, inputs, attrs }) =>
    graph.add({ op, inputs: [inputs['x']!], ...poolInfo(attrs, inputs['x']!.shape) });

const resizeAttrs = (attrs: KernelCall['attrs']): Attributes => ({
  alignCorners: attrs['alignCorners'] === true,
  halfPixelCenters: attrs['halfPixelCenters'] === true,
});

const resize =
  (op: Op): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const { shape } = inputs['images']!;
    const [height, width] = attrs['size'] as [number, number];
    return graph.add({ op, inputs: [inputs['images']!], attrs: resizeAttrs(attrs), shape: [shape[0]!, height, width, shape[3]!] }); // prettier-ignore
  };

/** Images of rank 3 (one sample) do not come from layers. */
export const imageKernelRules: Readonly<Record<string, KernelRule>> = {
  Conv2D: (call) => convolution('Conv2D', call),
  FusedConv2D: (call) => addBiasAndActivation(call, convolution('Conv2D', call)),
  Conv2DBackpropInput: backpropInput,
  DepthwiseConv2dNative: (call) => convolution('DepthwiseConv2D', call),
  FusedDepthwiseConv2D: (call) => addBiasAndActivation(call, convolution('DepthwiseConv2D', call)),
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AvgPool'),
  ResizeNearestNeighbor: resize('ResizeNearest'),
  ResizeBilinear: resize('ResizeBilinear'),
};
