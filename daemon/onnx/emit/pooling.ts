import type { Node } from '../../network/ir.js';
import { resizeWeights } from '../../network/resizeWeights.js';
import type { EmitRule, Emitter } from './emitter.js';
import { onnxType } from './protobuf.js';
import { sizeOf } from '../../protocol/shape.js';

/** Rules of pooling and resizing, all computed in NCHW. */

const numbers = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
type Shape4 = [number, number, number, number];
const shape4 = (node: Node) => [...node.shape] as Shape4;

const poolAttrs = (node: Node) => ({
  kernel_shape: numbers(node, 'window'),
  strides: numbers(node, 'strides'),
  pads: numbers(node, 'pads'),
});

/**
 * The image that a pooling reads. onnxruntime's optimizer would merge a zero padding before a pooling into it. The padding would then
 * not count in a maximum, and onnxruntime refuses one wider than the window. A Max without effect between the two prevents that.
 */
const pooledImage = (e: Emitter, x: Node): string =>
  x.op === 'Pad' ? e.op('Max', [e.name(x, 'channels'), e.scalar(-3.4028235e38)]) : e.name(x, 'channels');

/** One node returns maxima and places if the gradient needs the places; pooling without places is much faster. */
function maxima(e: Emitter, x: Node, attrs: ReturnType<typeof poolAttrs>): { values: string; places: () => string } {
  const name = pooledImage(e, x);
  const places = () => e.ops('MaxPool', [name], 2, attrs)[1]!;
  return { values: e.readers(x, 'MaxPoolGrad') > 0 ? e.ops('MaxPool', [name], 2, attrs)[0]! : e.op('MaxPool', [name], attrs), places }; // prettier-ignore
}

const maxPool: EmitRule = (e, node) => {
  if (!e.target.maxPoolPlaces) {
    e.define(node, e.op('MaxPool', [e.name(node.inputs[0]!, 'channels')], poolAttrs(node)), 'channels');
    return;
  }
  e.define(node, maxima(e, node.inputs[0]!, poolAttrs(node)).values, 'channels');
};

/**
 * The same by convolutions with unit filters, for runtimes without places. Each plane's windows become channels, the first
 * channel that equals the maximum takes dy, and the transposed convolution puts it back.
 */
function maxPoolGradByMask(e: Emitter, node: Node): void {
  const [dy, x, y] = node.inputs as [Node, Node, Node];
  const [b, h, w, c] = shape4(node);
  const [, oh, ow] = shape4(y);
  const { kernel_shape, strides, pads } = poolAttrs(node);
  const [kh, kw] = kernel_shape as [number, number];
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const n = kh * kw;
  const identity = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
  const unit = e.tensor('float32', [n, 1, kh, kw], identity);
  const earlier = Float32Array.from({ length: n * n }, (_, i) => Number(i % n < Math.floor(i / n)));
  const plane = (source: Node, height: number, width: number) =>
    e.reshape(e.name(source, 'channels'), [b * c, 1, height, width]);
  const border = e.ints([0, 0, top, left, 0, 0, bottom, right]);
  const padded = e.op('Pad', [plane(x, h, w), border, e.scalar(-3e38)]);
  const windows = e.op('Conv', [padded, unit], { strides });
  const isMaximum = e.op('Cast', [e.op('Equal', [windows, plane(y, oh, ow)])], { to: onnxType.float32 });
  const before = e.op('Conv', [isMaximum, e.tensor('float32', [n, n, 1, 1], earlier)]);
  const taken = e.op('Where', [e.op('Greater', [before, e.scalar(0)]), e.scalar(0), isMaximum]);
  const share = e.op('Mul', [taken, plane(dy, oh, ow)]);
  const rest = [0, 1].map((axis) => {
    const covered = ([oh, ow][axis]! - 1) * strides[axis]! + kernel_shape[axis]!;
    return Math.max(0, [h, w][axis]! + pads[axis]! + pads[axis + 2]! - covered);
  });
  const dx = e.op('ConvTranspose', [share, unit], { strides, pads, output_padding: rest });
  e.define(node, e.reshape(dx, [b, c, h, w]), 'channels');
}

/** The gradient goes to the place of each window's maximum. A place that is the maximum of several windows gets their sum. */
const maxPoolGrad: EmitRule = (e, node) => {
  const [dy, x] = node.inputs as [Node, Node, Node];
  if (!e.target.maxPoolPlaces) return maxPoolGradByMask(e, node);
  const [b, h, w, c] = shape4(node);
  const attrs = poolAttrs(node);
  const { kernel_shape, strides } = attrs;
  const places = maxima(e, x, attrs).places();
  const updates = e.name(dy, 'channels');
  // MaxUnpool first computes a size of the image, which wide padding makes 0, even if the size is given.
  const [, oh, ow] = dy.shape as Shape4;
  const fits = [oh, ow].every((n, axis) => (n - 1) * strides[axis]! + kernel_shape[axis]! > attrs.pads[axis]! + attrs.pads[axis + 2]!); // prettier-ignore
  if (fits && strides[0]! >= kernel_shape[0]! && strides[1]! >= kernel_shape[1]!) {
    e.define(node, e.op('MaxUnpool', [updates, places, e.ints([b, c, h, w])], attrs), 'channels');
    return;
  }
  const zeros = e.op('Expand', [e.scalar(0), e.ints([sizeOf(node.shape)])]);
  const flat = [e.reshape(places, [-1]), e.reshape(updates, [-1])];
  const sums = e.op('ScatterElements', [zeros, ...flat], { axis: 0, reduction: 'add' });
  e.define(node, e.reshape(sums, [b, c, h, w]), 'channels');
};

const avgPool: EmitRule = (e, node) => {
  const x = pooledImage(e, node.inputs[0]!);
  e.define(node, e.op('AveragePool', [x], { ...poolAttrs(node), count_include_pad: 0 }), 'channels');
};

/** The number of elements inside the image of each window along one axis. */
function insideCounts(node: Node, dy: Node, axis: 0 | 1): number[] {
  const [window, strides, pads] = ['window', 'strides', 'pads'].map((name) => numbers(node, name));
  return Array.from({ length: dy.shape[1 + axis]! }, (_, i) => {
    const start = i * strides![axis]! - pads![axis]!;
    return Math.min(start + window![axis]!, node.shape[1 + axis]!) - Math.max(start, 0);
  });
}

/** Each window spreads its share over its elements: a transposed convolution with ones, channel by channel. */
const avgPoolGrad: EmitRule = (e, node) => {
  const dy = node.inputs[0]!;
  const [b, h, w, c] = shape4(node);
  const [, oh, ow] = shape4(dy);
  const [rows, columns] = [insideCounts(node, dy, 0), insideCounts(node, dy, 1)];
  const shares = Float32Array.from(rows.flatMap((r) => columns.map((n) => 1 / (r * n))));
  const same = shares.every((share) => share === shares[0]);
  const scale = same ? e.scalar(shares[0]!) : e.tensor('float32', [1, 1, oh, ow], shares);
  const scaled = e.op('Mul', [e.name(dy, 'channels'), scale]);
  const { kernel_shape, strides, pads } = poolAttrs(node);
  const [kh, kw] = kernel_shape as [number, number];
  const ones = e.tensor('float32', [1, 1, kh, kw], new Float32Array(kh * kw).fill(1));
  const padding = [h, w].map((size, axis) => {
    const covered = ([oh, ow][axis]! - 1) * strides[axis]! + kernel_shape[axis]!;
    return Math.max(0, size + pads[axis]! + pads[axis + 2]! - covered);
  });
  const planes = e.reshape(scaled, [b * c, 1, oh, ow]);
  const spread = e.op('ConvTranspose', [planes, ones], { strides, pads, output_padding: padding });
  e.define(node, e.reshape(spread, [b, c, h, w]), 'channels');
};

const coordinates = (node: Node) =>
  node.attrs['alignCorners'] ? 'align_corners' : node.attrs['halfPixelCenters'] ? 'half_pixel' : 'asymmetric';

/** With pixel centres TensorFlow rounds (i + 0.5) * scale down. ONNX then subtracts 0.5 before it rounds. */
const nearest = (node: Node) =>
  node.attrs['alignCorners'] || node.attrs['halfPixelCenters'] ? 'round_prefer_ceil' : 'floor';

const resize =
  (mode: 'nearest' | 'linear'): EmitRule =>
  (e, node) => {
    const [b, h, w, c] = shape4(node);
    const [, fromH, fromW] = shape4(node.inputs[0]!);
    // onnxruntime moves transposes through Resize, and then refuses a linear Resize along other axes than the last two.
    if (mode === 'linear' && (node.inputs[0]!.op === 'Transpose' || e.readers(node, 'Transpose') > 0)) {
      const weights = (from: number, to: number) =>
        e.tensor('float32', [to, from], resizeWeights(node.attrs, from, to, true));
      const across = e.op('Transpose', [weights(fromW, w)], { perm: [1, 0] });
      const tall = e.op('MatMul', [weights(fromH, h), e.name(node.inputs[0]!, 'channels')]);
      e.define(node, e.op('MatMul', [tall, across]), 'channels');
      return;
    }
    const scales = [1, 1, h / fromH, w / fromW].map(Math.fround);
    // Scale factors do not fix the batch, and they survive when onnxruntime moves transposes; sizes of two axes do not.
    const exact = Math.floor(fromH * scales[2]!) === h && Math.floor(fromW * scales[3]!) === w;
    const to = exact ? [e.tensor('float32', [4], Float32Array.from(scales))] : ['', e.ints([b, c, h, w])];
    const attrs = {
      mode,
      coordinate_transformation_mode: coordinates(node),
      nearest_mode: nearest(node),
    };
    const y = e.op('Resize', [e.name(node.inputs[0]!, 'channels'), '', ...to], attrs);
    e.define(node, y, 'channels');
  };

export const poolingRules: Readonly<Record<string, EmitRule>> = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AvgPool: avgPool,
  AvgPoolGrad: avgPoolGrad,
  ResizeNearest: resize('nearest'),
  ResizeBilinear: resize('linear'),
};
