/** Adds matrix products, convolutions, pooling and resizing to random graphs. */
import type { Node, Op } from '../../../daemon/network/ir.js';
import type { Production } from './elementwise.js';
import type { Growth } from './growth.js';

const matMul: Production = (g) => {
  const a = g.any(g.between(2, 4));
  const [ta, tb] = [g.chance(0.4), g.chance(0.4)];
  const k = a.shape.at(ta ? -2 : -1)!;
  const n = g.between(1, 4);
  const lead = a.shape.slice(0, -2);
  // Whole leading axes, fewer of them, ones among them, or one more in front.
  const own = lead.slice(g.below(lead.length + 1)).map((size) => (g.chance(0.3) ? 1 : size));
  const b = g.ofShape([...own, ...(tb ? [n, k] : [k, n])]);
  return g.make.matMul(a, b, ta, tb);
};

interface Sliding {
  readonly window: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  /** Windows along height and width. */
  readonly out: readonly [number, number];
}

/** Windows that fit the image, with strides that may step beyond them. */
function sliding(g: Growth, [, height, width]: readonly number[], dilated: boolean): Sliding {
  const along = (n: number) => {
    const window = g.between(1, 3);
    const dilation = dilated ? g.between(1, 2) : 1;
    const reach = (window - 1) * dilation + 1;
    const stride = g.between(1, 3);
    const most = dilated ? 2 : window - 1;
    let [before, after] = [g.between(0, most), g.between(0, most)];
    if (n + before + after < reach) [before, after] = [0, 0];
    if (n + before + after < reach) return { window: 1, dilation: 1, stride, before: 0, after: 0, out: Math.floor((n - 1) / stride) + 1 }; // prettier-ignore
    return { window, dilation, stride, before, after, out: Math.floor((n + before + after - reach) / stride) + 1 };
  };
  const [v, h] = [along(height!), along(width!)];
  return {
    window: [v.window, h.window],
    strides: [v.stride, h.stride],
    dilations: [v.dilation, h.dilation],
    pads: [v.before, h.before, v.after, h.after],
    out: [v.out, h.out],
  };
}

type Role = 'forward' | 'image' | 'filter';

/** One of the three operations of a convolution, with its two operands at random. */
function convolution(op: Op, depthwise: boolean, role: Role): Production {
  return (g) => {
    const image = g.any(4);
    const { window, out, strides, dilations, pads } = sliding(g, image.shape, true);
    const [batch, , , channels] = image.shape as [number, number, number, number];
    const each = g.between(1, 3);
    const filter = [...window, channels, each];
    const result = [batch, ...out, depthwise ? channels * each : each];
    const attrs = { strides, dilations, pads };
    if (role === 'forward') return g.graph.add({ op, inputs: [image, g.ofShape(filter)], attrs, shape: result });
    if (role === 'image') return g.graph.add({ op, inputs: [g.ofShape(result), g.ofShape(filter)], attrs, shape: image.shape }); // prettier-ignore
    return g.graph.add({ op, inputs: [image, g.ofShape(result)], attrs, shape: filter });
  };
}

function windows(g: Growth): { image: Node; attrs: { window: readonly number[]; strides: readonly number[]; pads: readonly number[] }; shape: number[] } {
  const image = g.any(4);
  const { window, strides, pads, out } = sliding(g, image.shape, false);
  return { image, attrs: { window, strides, pads }, shape: [image.shape[0]!, ...out, image.shape[3]!] };
} // prettier-ignore

const pool =
  (op: 'MaxPool' | 'AvgPool'): Production =>
  (g) => {
    const { image, attrs, shape } = windows(g);
    return g.graph.add({ op, inputs: [image], attrs, shape });
  };

const resize =
  (op: 'ResizeNearest' | 'ResizeBilinear'): Production =>
  (g) => {
    const image = g.any(4);
    const [batch, h, w, c] = image.shape as [number, number, number, number];
    const how = g.below(3);
    const attrs = { alignCorners: how === 1, halfPixelCenters: how === 2 };
    const size = g.chance(0.5) ? [h * g.between(1, 3), w * g.between(1, 3)] : [g.between(1, 6), g.between(1, 6)];
    return g.graph.add({ op, inputs: [image], attrs, shape: [batch, ...size, c] });
  };

export const products = {
  MatMul: matMul,
  Conv2D: convolution('Conv2D', false, 'forward'),
  Conv2DBackpropInput: convolution('Conv2DBackpropInput', false, 'image'),
  Conv2DBackpropFilter: convolution('Conv2DBackpropFilter', false, 'filter'),
  DepthwiseConv2D: convolution('DepthwiseConv2D', true, 'forward'),
  DepthwiseConv2DBackpropInput: convolution('DepthwiseConv2DBackpropInput', true, 'image'),
  DepthwiseConv2DBackpropFilter: convolution('DepthwiseConv2DBackpropFilter', true, 'filter'),
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AvgPool'),
  AvgPoolGrad: (g) => {
    const { image, attrs, shape } = windows(g);
    return g.graph.add({ op: 'AvgPoolGrad', inputs: [g.ofShape(shape)], attrs, shape: image.shape });
  },
  ResizeNearest: resize('ResizeNearest'),
  ResizeBilinear: resize('ResizeBilinear'),
} satisfies Partial<Record<Op, Production>>;
