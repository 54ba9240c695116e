import { sizeOf } from '../protocol/shape.js';
import type { GraphBuilder } from './builder.js';
import type { Attributes, Node } from './ir.js';

/**
 * Operations on volumes (rank 5, NDHWC), expressed by images: a filter of depth k reads k frames, which lie side by side as channels of
 * one image.
 */

type Shape5 = [number, number, number, number, number];

/** How windows slide along the depth. */
export interface Depth {
  readonly frames: number;
  readonly windows: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

const reshape = (graph: GraphBuilder, x: Node, shape: readonly number[]): Node =>
  graph.add({ op: 'Reshape', inputs: [x], shape });

/** Frames as rows, [batch, frames, numbers], with rows of `value` before and after. */
function pad(graph: GraphBuilder, rows: Node, before: number, after: number, value = 0): Node {
  const [batch, frames, size] = rows.shape as [number, number, number];
  const attrs = { before: [0, before, 0], after: [0, after, 0], value };
  const shape = [batch, before + frames + after, size];
  return before + after === 0 ? rows : graph.add({ op: 'Pad', inputs: [rows], attrs, shape });
}

/** For [batch, frames, numbers]: the frames at the k-th place of each window, [batch, windows, numbers]; padding is `value`. */
export function seen(graph: GraphBuilder, rows: Node, depth: Depth, k: number, value = 0): Node {
  const padded = pad(graph, rows, depth.before, depth.after, value);
  const [batch, , size] = padded.shape as [number, number, number];
  const begin = k * depth.dilation;
  const end = begin + (depth.windows - 1) * depth.stride + 1;
  const attrs = { begin: [0, begin, 0], end: [batch, end, size], strides: [1, depth.stride, 1] };
  return graph.add({ op: 'StridedSlice', inputs: [padded], attrs, shape: [batch, depth.windows, size] });
}

/** The transpose of `seen`: puts the rows of windows at their k-th place, with zeros elsewhere; [batch, frames, numbers]. */
function putBack(graph: GraphBuilder, rows: Node, depth: Depth, k: number): Node {
  const [batch, windows, size] = rows.shape as [number, number, number];
  // Zeros between the windows: stride - 1 rows of zeros follow each row but the last.
  const spaced = pad(graph, reshape(graph, rows, [batch * windows, 1, size]), 0, depth.stride - 1);
  const span = (windows - 1) * depth.stride + 1;
  const slice = (node: Node, begin: number, length: number) =>
    graph.add({ op: 'Slice', inputs: [node], attrs: { begin: [0, begin, 0] }, shape: [batch, length, size] });
  const run = slice(reshape(graph, spaced, [batch, windows * depth.stride, size]), 0, span);
  const before = k * depth.dilation;
  const whole = depth.before + depth.frames + depth.after;
  const placed = pad(graph, run, before, Math.max(0, whole - before - span));
  return slice(placed, depth.before, depth.frames);
}

/** Reshapes [batch, depth, height, width, channels] to [batch * depth, height, width, channels], or any other four axes. */
export const asImages = (graph: GraphBuilder, volume: Node): Node => {
  const [batch, depth, ...image] = volume.shape as Shape5;
  return reshape(graph, volume, [batch * depth, ...image]);
};

/** Reshapes each frame to one row of numbers. */
export const asRows = (graph: GraphBuilder, node: Node, batch: number): Node => {
  const frames = node.shape.length === 5 ? node.shape[1]! : node.shape[0]! / batch;
  return reshape(graph, node, [batch, frames, sizeOf(node.shape) / batch / frames]);
};

export const places = ({ size }: Depth) => Array.from({ length: size }, (_, k) => k);

/** Lays each window's frames side by side: [batch * windows, height, width, size * channels]. */
function framesOfWindows(graph: GraphBuilder, x: Node, depth: Depth): Node {
  const [batch, , h, w, c] = x.shape as Shape5;
  const rows = asRows(graph, x, batch);
  const images = places(depth).map((k) => reshape(graph, seen(graph, rows, depth, k), [batch * depth.windows, h, w, c])); // prettier-ignore
  const shape = [batch * depth.windows, h, w, depth.size * c];
  return images.length === 1 ? images[0]! : graph.add({ op: 'Concat', inputs: images, attrs: { axis: 3 }, shape });
}

/** [depth, height, width, channels, filters] -> [height, width, depth * channels, filters]. */
function filterOfWindows(graph: GraphBuilder, filter: Node): Node {
  const [d, h, w, c, f] = filter.shape as Shape5;
  const flat = reshape(graph, filter, [d, h * w, c * f]);
  const turned = graph.add({ op: 'Transpose', inputs: [flat], attrs: { perm: [1, 0, 2] }, shape: [h * w, d, c * f] });
  return reshape(graph, turned, [h, w, d * c, f]);
}

/**
 * The convolution of a volume by a filter, [depth, height, width, channels, filters].
 * @param attributes of the images' convolution: strides, dilations and pads of height and width
 */
export function convolveVolume(
  graph: GraphBuilder,
  x: Node,
  filter: Node,
  depth: Depth,
  attributes: Attributes,
  shape: readonly number[],
): Node {
  const [batch, windows, ...image] = shape as Shape5;
  const images = framesOfWindows(graph, x, depth);
  const inner = [batch * windows, ...image];
  const y = graph.add({
    op: 'Conv2D',
    inputs: [images, filterOfWindows(graph, filter)],
    attrs: attributes,
    shape: inner,
  });
  return reshape(graph, y, shape);
}

/** Its transpose: the volume, of `shape`, whose convolution has the gradient dy. It computes a transposed convolution. */
export function convolveVolumeBack(
  graph: GraphBuilder,
  dy: Node,
  filter: Node,
  depth: Depth,
  attributes: Attributes,
  shape: readonly number[],
): Node {
  const [batch, , h, w, c] = shape as Shape5;
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
  const total = sums.reduce((a, b) => graph.add({ op: 'Add', inputs: [a, b], shape: a.shape }));
  return reshape(graph, total, shape);
}
