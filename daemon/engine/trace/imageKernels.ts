import { backend_util } from '@tensorflow/tfjs-core';
import type { Attributes, Node, Op } from '../../network/ir.js';
import { resizeWeights } from '../../network/resizeWeights.js';
import { addBiasAndActivation, addReshape, type KernelCall, type KernelRule } from './kernels.js';
import { sizeOf } from '../../protocol/shape.js';

/** Rules of the kernels over images (rank 4, NHWC): convolutions, pooling, resizing. Padding becomes explicit. */

type Shape4 = [number, number, number, number];
type Pad = Parameters<typeof backend_util.computeConv2DInfo>[4];
type Rounding = 'floor' | 'round' | 'ceil' | undefined;
type Window = number | [number, number];
type ConvInfo = ReturnType<typeof backend_util.computeConv2DInfo>;

const pair = (value: unknown): [number, number] =>
  typeof value === 'number' ? [value, value] : ((value as [number, number] | undefined) ?? [1, 1]);

/** Of a window that does not fit TensorFlow.js makes an empty tensor, or one of negative size. @throws RangeError */
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

const backpropInput =
  (op: Op, depthwise: boolean): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const { dy, filter } = inputs as Record<'dy' | 'filter', Node>;
    const shape = attrs['inputShape'] as number[];
    const info = convInfo(attrs, shape, filter.shape, depthwise);
    return graph.add({ op, inputs: [dy, filter], attrs: convAttrs(info), shape });
  };

const backpropFilter =
  (op: Op, depthwise: boolean): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const { x, dy } = inputs as Record<'x' | 'dy', Node>;
    const shape = attrs['filterShape'] as number[];
    const info = convInfo(attrs, x.shape, shape, depthwise);
    return graph.add({ op, inputs: [x, dy], attrs: convAttrs(info), shape });
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

/** Resizing is linear and separable: its gradient is the product of dy with each axis' weights. */
const resizeGrad =
  (linear: boolean): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const dy = inputs['dy']!;
    const [batch, h, w, c] = inputs['images']!.shape as Shape4;
    const [, oh, ow] = dy.shape as Shape4;
    const settings = resizeAttrs(attrs);
    if (!linear && oh % h === 0 && ow % w === 0 && !settings['alignCorners']) {
      // Every pixel was repeated: the sum over its block.
      const block = [oh / h, ow / w];
      const pooled = graph.add({ op: 'AvgPool', inputs: [dy], attrs: { window: block, strides: block, pads: [0, 0, 0, 0] }, shape: [batch, h, w, c] }); // prettier-ignore
      return graph.add({ op: 'Multiply', inputs: [pooled, graph.constant(block[0]! * block[1]!, [])], shape: pooled.shape }); // prettier-ignore
    }
    const turned = (x: Node, perm: number[]) =>
      graph.add({ op: 'Transpose', inputs: [x], attrs: { perm }, shape: perm.map((axis) => x.shape[axis]!) });
    const along = (x: Node, from: number, to: number) => {
      const rows = addReshape(graph, x, [sizeOf(x.shape) / to, to]);
      const weights = graph.constant(resizeWeights(settings, from, to, linear), [to, from]);
      const plain = { transposeA: false, transposeB: false };
      const product = graph.add({ op: 'MatMul', inputs: [rows, weights], attrs: plain, shape: [rows.shape[0]!, from] });
      return addReshape(graph, product, x.shape.with(-1, from));
    };
    const narrow = along(turned(dy, [0, 1, 3, 2]), w, ow);
    return turned(along(turned(narrow, [0, 3, 2, 1]), h, oh), [0, 3, 1, 2]);
  };

/** Rank 3 images (one sample) do not come from layers. */
export const imageKernelRules: Readonly<Record<string, KernelRule>> = {
  Conv2D: (call) => convolution('Conv2D', call),
  FusedConv2D: (call) => addBiasAndActivation(call, convolution('Conv2D', call)),
  Conv2DBackpropInput: backpropInput('Conv2DBackpropInput', false),
  Conv2DBackpropFilter: backpropFilter('Conv2DBackpropFilter', false),
  DepthwiseConv2dNative: (call) => convolution('DepthwiseConv2D', call),
  FusedDepthwiseConv2D: (call) => addBiasAndActivation(call, convolution('DepthwiseConv2D', call)),
  DepthwiseConv2dNativeBackpropInput: backpropInput('DepthwiseConv2DBackpropInput', true),
  DepthwiseConv2dNativeBackpropFilter: backpropFilter('DepthwiseConv2DBackpropFilter', true),
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AvgPool'),
  MaxPoolGrad: ({ graph, inputs, attrs }) => {
    const { dy, input, output } = inputs as Record<'dy' | 'input' | 'output', Node>;
    const info = poolInfo(attrs, input.shape);
    return graph.add({ op: 'MaxPoolGrad', inputs: [dy, input, output], attrs: info.attrs, shape: input.shape });
  },
  AvgPoolGrad: ({ graph, inputs, attrs }) => {
    const { dy, input } = inputs as Record<'dy' | 'input', Node>;
    return graph.add({
      op: 'AvgPoolGrad',
      inputs: [dy],
      attrs: poolInfo(attrs, input.shape).attrs,
      shape: input.shape,
    });
  },
  ResizeNearestNeighbor: resize('ResizeNearest'),
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeNearestNeighborGrad: resizeGrad(false),
  ResizeBilinearGrad: resizeGrad(true),
};
