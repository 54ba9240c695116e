import type { Node } from '../../network/ir.js';
import { sameShape } from '../../network/ir.js';
import type { EmitRule, Emitter } from './emitter.js';

/** Rules of convolutions, all computed in NCHW. */

const numbers = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
type Shape4 = [number, number, number, number];
const shape4 = (node: Node) => [...node.shape] as Shape4;

const convAttrs = (node: Node) => ({
  strides: numbers(node, 'strides'),
  dilations: numbers(node, 'dilations'),
  pads: numbers(node, 'pads'),
});

/** Reorders a filter for ONNX: HWIO -> OIHW. */
function filterOIHW(e: Emitter, filter: Node): string {
  const [h, w, i, o] = shape4(filter);
  if (h * w !== 1) return e.op('Transpose', [e.name(filter)], { perm: [3, 2, 0, 1] });
  return e.reshape(e.op('Transpose', [e.reshape(e.name(filter), [i, o])], { perm: [1, 0] }), [o, i, 1, 1]);
}

/** Reorders a depthwise filter: [height, width, channel, multiplier] -> [channel * multiplier, 1, height, width]. */
function depthwiseFilter(e: Emitter, filter: Node): string {
  const [h, w, c, m] = shape4(filter);
  return e.reshape(e.op('Transpose', [e.name(filter)], { perm: [2, 3, 0, 1] }), [c * m, 1, h, w]);
}

interface ConvSizes {
  readonly channels: number;
  readonly filters: number;
  /** Height and width of the image and of the filter. */
  readonly image: readonly number[];
  readonly window: readonly number[];
}

/** A convolution of [., channels, ., .] by [filters, channels, ., .]. If the runtime computes it wrongly, zeros are added to the image first. */
function conv(
  e: Emitter,
  [x, filter]: readonly [string, string],
  { channels, filters, image, window }: ConvSizes,
  attrs: ReturnType<typeof convAttrs>,
): string {
  const [top, left, bottom, right] = attrs.pads as [number, number, number, number];
  const threes = channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && filters % 4 === 0;
  const whole = sameShape(image, window) && top + left === 0 && bottom + right > 0 && !e.target.convOfWholeImages;
  // Channels are padded too: onnxruntime would merge a padding of the image alone back into the convolution.
  const extra = whole || (threes && !e.target.convOfThrees) ? 4 - (channels % 4) : 0;
  const padded = (name: string, after: readonly number[]) =>
    after.every((n) => n === 0) ? name : e.op('Pad', [name, e.ints([0, 0, 0, 0, 0, ...after]), e.scalar(0)]);
  const operands = [padded(x, [extra, whole ? bottom : 0, whole ? right : 0]), padded(filter, [extra, 0, 0])];
  return e.op('Conv', operands, whole ? { ...attrs, pads: [0, 0, 0, 0] } : attrs);
}

const conv2D: EmitRule = (e, node) => {
  const [x, filter] = node.inputs as [Node, Node];
  const [h, w, channels, filters] = shape4(filter);
  const sizes = { channels, filters, image: x.shape.slice(1, 3), window: [h, w] };
  const y = conv(e, [e.name(x, 'channels'), filterOIHW(e, filter)], sizes, convAttrs(node));
  e.define(node, y, 'channels');
};

const depthwiseConv2D: EmitRule = (e, node) => {
  const [x, filter] = node.inputs as [Node, Node];
  const attrs = { ...convAttrs(node), group: x.shape[3]! };
  e.define(node, e.op('Conv', [e.name(x, 'channels'), depthwiseFilter(e, filter)], attrs), 'channels');
};

/** With strides that skip rows, the size of a transposed convolution is ambiguous: this is the number of rows at the end that no window covered. */
function outputPadding(node: Node, dy: Node, filter: Node): number[] {
  const { strides, dilations, pads } = convAttrs(node);
  return [0, 1].map((axis) => {
    const covered = (dy.shape[1 + axis]! - 1) * strides[axis]! + (filter.shape[axis]! - 1) * dilations[axis]! + 1;
    return Math.max(0, node.shape[1 + axis]! + pads[axis]! + pads[axis + 2]! - covered);
  });
}

/** dx of a convolution is the transposed convolution of dy with the same filter. */
const conv2DBackpropInput: EmitRule = (e, node) => {
  const [dy, filter] = node.inputs as [Node, Node];
  const attrs = { ...convAttrs(node), output_padding: outputPadding(node, dy, filter) };
  const dx = e.op('ConvTranspose', [e.name(dy, 'channels'), filterOIHW(e, filter)], attrs);
  e.define(node, dx, 'channels');
};

/**
 * Attributes of the convolution of x by dy that gives the filter's gradient. Strides and dilations swap roles, and the padding at
 * the end makes the result as large as the filter.
 */
function gradientAttrs(x: Node, dy: Node, filter: readonly number[], node: Node) {
  const { strides, dilations, pads } = convAttrs(node);
  const end = [0, 1].map((axis) => {
    const needed = (filter[axis]! - 1) * dilations[axis]! + (dy.shape[1 + axis]! - 1) * strides[axis]! + 1;
    return needed - x.shape[1 + axis]! - pads[axis]!;
  });
  return {
    attrs: {
      strides: dilations,
      dilations: strides,
      pads: [pads[0]!, pads[1]!, Math.max(0, end[0]!), Math.max(0, end[1]!)],
    },
    // Rows that no window reached would give filter rows that do not exist.
    tooLarge: end.some((n) => n < 0),
  };
}

function cut(e: Emitter, name: string, tooLarge: boolean, h: number, w: number): string {
  return tooLarge ? e.op('Slice', [name, e.ints([0, 0]), e.ints([h, w]), e.ints([2, 3])]) : name;
}

/** A tensor with channels before samples: [C, B, H, W]. */
const channelsFirst = (e: Emitter, n: Node) => e.op('Transpose', [e.name(n, 'channels')], { perm: [1, 0, 2, 3] });

/** dW[i, o] = sum over the batch of x[., i] * dy[., o]: a convolution whose channels are the samples. */
function filterGradientByConv(e: Emitter, node: Node): void {
  const [x, dy] = node.inputs as [Node, Node];
  const [h, w] = shape4(node);
  const { attrs, tooLarge } = gradientAttrs(x, dy, node.shape, node);
  const [image, window] = [x.shape.slice(1, 3), dy.shape.slice(1, 3)];
  const sizes = { channels: x.shape[0]!, filters: dy.shape[3]!, image, window };
  const gradient = cut(e, conv(e, [channelsFirst(e, x), channelsFirst(e, dy)], sizes, attrs), tooLarge, h, w);
  e.define(node, e.op('Transpose', [gradient], { perm: [2, 3, 0, 1] }));
}

/** The size of the padded image that shifting works on, and the part of it that is not output. */
function shiftGrid(node: Node) {
  const [x, dy] = node.inputs as [Node, Node];
  const { pads } = convAttrs(node);
  const height = x.shape[1]! + pads[0]! + pads[2]!;
  const width = x.shape[2]! + pads[1]! + pads[3]!;
  return { height, width, waste: (height * width) / (dy.shape[1]! * dy.shape[2]!) };
}

/**
 * Without strides, lay x (padded) and dy (zeros added to the same size) out as [channels, one long row]. Filter element k
 * then pairs dy with x shifted by a fixed distance. Its gradient is one product of matrices, x_k dy^T, already in HWIO
 * order; where a shift wraps around, dy is zero. The shifted copies are long runs, unlike the columns of im2col.
 */
function filterGradientByShifts(e: Emitter, node: Node): void {
  const [x, dy] = node.inputs as [Node, Node];
  const [h, w, c, o] = shape4(node);
  const { dilations, pads } = convAttrs(node);
  const { height, width } = shiftGrid(node);
  const batch = x.shape[0]!;
  const long = batch * height * width;
  const reach = (h - 1) * dilations[0]! * width + (w - 1) * dilations[1]!;
  const padded = (source: Node, channels: number, [top, left, bottom, right]: readonly number[]) => {
    const ends = e.ints([0, 0, top!, left!, 0, 0, bottom!, right!]);
    const none = top! + left! + bottom! + right! === 0;
    const image = channelsFirst(e, source);
    return e.reshape(none ? image : e.op('Pad', [image, ends, e.scalar(0)]), [channels, long]);
  };
  const run = (row: string, start: number) =>
    reach === 0 ? row : e.op('Slice', [row, e.ints([start]), e.ints([start + long - reach]), e.ints([1])]);
  const grown = [0, 0, height - dy.shape[1]!, width - dy.shape[2]!];
  const [xRow, dyRow] = [padded(x, c, pads), run(padded(dy, o, grown), 0)];
  const parts = Array.from({ length: h * w }, (_, k) => {
    const shift = Math.floor(k / w) * dilations[0]! * width + (k % w) * dilations[1]!;
    return e.op('Gemm', [run(xRow, shift), dyRow], { transB: 1 });
  });
  const gradient = parts.length === 1 ? parts[0]! : e.op('Concat', parts, { axis: 0 });
  e.define(node, e.reshape(gradient, [h, w, c, o]));
}

/** Shifts are worth it if little is padded and the products are not narrow (measured: 2-3 times as fast as by Conv). */
const conv2DBackpropFilter: EmitRule = (e, node) => {
  const [, , c, o] = shape4(node);
  const { strides } = convAttrs(node);
  const shifts = strides.every((stride) => stride === 1) && shiftGrid(node).waste <= 1.6 && c >= 8 && o >= 8;
  return shifts ? filterGradientByShifts(e, node) : filterGradientByConv(e, node);
};

/** The same for each channel separately: one image whose groups are the channels. */
const depthwiseBackpropFilter: EmitRule = (e, node) => {
  const [x, dy] = node.inputs as [Node, Node];
  const [h, w, c, m] = shape4(node);
  const [b, ih, iw] = shape4(x);
  const [, oh, ow] = shape4(dy);
  const { attrs, tooLarge } = gradientAttrs(x, dy, node.shape, node);
  const images = e.reshape(channelsFirst(e, x), [1, c * b, ih, iw]);
  const filters = e.reshape(channelsFirst(e, dy), [c * m, b, oh, ow]);
  const gradient = cut(e, e.op('Conv', [images, filters], { ...attrs, group: c }), tooLarge, h, w);
  e.define(node, e.op('Transpose', [e.reshape(gradient, [c, m, h, w])], { perm: [2, 3, 0, 1] }));
};

/** dx of a depthwise convolution. If the runtime computes it wrongly, it is a sum of products, one channel at a time. */
const depthwiseBackpropInput: EmitRule = (e, node) => {
  const [dy, filter] = node.inputs as [Node, Node];
  const [, , c, multiplier] = shape4(filter);
  const names = [e.name(dy, 'channels'), depthwiseFilter(e, filter)];
  const attrs = { ...convAttrs(node), output_padding: outputPadding(node, dy, filter), group: c };
  const strided = (name: string, axis: number, from: number) =>
    e.op('Slice', [name, e.ints([from]), e.ints([c * multiplier]), e.ints([axis]), e.ints([multiplier])]);
  const parts =
    e.target.transposeOfGroups || multiplier === 1
      ? [names]
      : Array.from({ length: multiplier }, (_, k) => [strided(names[0]!, 1, k), strided(names[1]!, 0, k)]);
  const sums = parts.map((part) => e.op('ConvTranspose', part, attrs));
  e.define(node, sums.reduce((sum, part) => e.op('Add', [sum, part])), 'channels'); // prettier-ignore
};

export const convolutionRules: Readonly<Record<string, EmitRule>> = {
  Conv2D: conv2D,
  Conv2DBackpropInput: conv2DBackpropInput,
  Conv2DBackpropFilter: conv2DBackpropFilter,
  DepthwiseConv2D: depthwiseConv2D,
  DepthwiseConv2DBackpropInput: depthwiseBackpropInput,
  DepthwiseConv2DBackpropFilter: depthwiseBackpropFilter,
};
