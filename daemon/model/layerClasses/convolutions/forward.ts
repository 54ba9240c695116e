/**
 * Convolutions as operations over images, with channels last. A sequence is an image of one column. A volume is convolved frame by frame: the taps
 * along its first axis are summed, so that channels and filters stay axes of their own.
 */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { MOST_PARTS } from '../rules/forward.js';
import { imageWindows, windowsOver, type Sliding, type Windows } from './windows.js';
import { transposedLength } from './computed.js';

/** [batch, length, channels] -> [batch, length, 1, channels], and a kernel alike. */
const asImage = (op: Operations, x: Node, axis = 2): Node =>
  x.shape.length === 4 ? x : op.reshape(x, x.shape.toSpliced(axis, 0, 1));

const imageSizes = (counts: readonly number[]): readonly number[] => (counts.length === 1 ? [counts[0]!, 1] : counts);

/** Frames at the k-th place of each window along the first axis, as images: [batch * windows, height, width, channels]. */
export function framesAt(op: Operations, padded: Node, { strides, dilations, counts }: Windows, k: number): Node {
  const frames = op.every(padded, 1, k * (dilations[0] ?? 1), counts[0]!, strides[0]!);
  return op.reshape(frames, [frames.shape[0]! * counts[0]!, ...frames.shape.slice(2)]);
}

/** Frames of `value` before and after a volume. */
export function paddedFrames(op: Operations, x: Node, { before, after }: Windows, value = 0): Node {
  if (before[0] === 0 && after[0] === 0) return x;
  return op.pad(x, [0, before[0]!, 0, 0, 0], [0, after[0]!, 0, 0, 0], value);
}

/** The part of a kernel that one place along the first axis has. */
const tap = (op: Operations, kernel: Node, k: number): Node => {
  const own = kernel.shape.slice(1);
  return op.reshape(op.slice(kernel, [k, ...own.map(() => 0)], [1, ...own]), own);
};

const sum = (op: Operations, parts: readonly Node[]): Node => parts.reduce((a, b) => op.add(a, b));

function slide(op: Operations, kind: 'Conv2D' | 'DepthwiseConv2D', x: Node, kernel: Node, windows: Windows): Node {
  const channels = kernel.shape.at(-1)! * (kind === 'Conv2D' ? 1 : kernel.shape.at(-2)!);
  const { dilations, counts } = windows;
  const attrs = { ...imageWindows(windows), dilations: imageSizes(dilations).slice(-2) };
  const shape = [x.shape[0]!, ...counts, channels];
  if (counts.length === 3) {
    const padded = paddedFrames(op, x, windows);
    const inner = [x.shape[0]! * counts[0]!, counts[1]!, counts[2]!, channels];
    const taps = windows.sizes[0]!;
    const images = Array.from({ length: taps }, (_, k) =>
      op.graph.add({ op: kind, inputs: [framesAt(op, padded, windows, k), tap(op, kernel, k)], attrs, shape: inner }),
    );
    return op.reshape(sum(op, images), shape);
  }
  const inputs = [asImage(op, x), asImage(op, kernel, 1)];
  return op.reshape(op.graph.add({ op: kind, inputs, attrs, shape: [x.shape[0]!, ...imageSizes(counts), channels] }), shape); // prettier-ignore
}

/** Groups of channels, each with filters of its own; null over volumes, whose filters no operation cuts alike. */
function slideGroups(op: Operations, x: Node, kernel: Node, windows: Windows, groups: number): Node | null {
  const [channels, filters] = [x.shape.at(-1)!, kernel.shape.at(-1)!];
  if (windows.counts.length === 3 || (groups > MOST_PARTS && groups !== channels)) return null;
  if (groups === channels)
    return slide(op, 'DepthwiseConv2D', x, op.reshape(kernel, [...kernel.shape.slice(0, -2), channels, filters / channels]), windows); // prettier-ignore
  const part = (of: Node, i: number): Node => {
    const n = of.shape.at(-1)! / groups;
    return op.slice(of, of.shape.map((_, axis) => (axis === of.shape.length - 1 ? i * n : 0)), of.shape.with(-1, n)); // prettier-ignore
  };
  const image = asImage(op, kernel, 1);
  const parts = Array.from({ length: groups }, (_, i) => slide(op, 'Conv2D', part(x, i), part(image, i), windows));
  return op.concat(parts, x.shape.length - 1);
}

/** @param kernel [...size, channels / groups, filters]. @returns null if no window fits. */
export function convolutionOf(op: Operations, x: Node, kernel: Node, sliding: Sliding | null, groups = 1): Node | null {
  const windows = sliding && windowsOver(x.shape.slice(1, -1), sliding);
  if (!windows || (windows.counts.length === 3 && windows.sizes[0]! > MOST_PARTS)) return null;
  return groups === 1 ? slide(op, 'Conv2D', x, kernel, windows) : slideGroups(op, x, kernel, windows, groups);
}

/** @param kernel [...size, channels, multiplier]; at most two axes. @returns null if no window fits. */
export function depthwiseOf(op: Operations, x: Node, kernel: Node, sliding: Sliding | null): Node | null {
  const windows = sliding && windowsOver(x.shape.slice(1, -1), sliding);
  return windows && slide(op, 'DepthwiseConv2D', x, kernel, windows);
}

/** Adds the images that the frames of a volume have spread to, frame by frame with a stride: [batch, full, height, width, filters]. */
function spreadFrames(op: Operations, images: Node, batch: number, start: number, stride: number, full: number): Node {
  const [all, ...image] = images.shape as [number, number, number, number];
  const frames = all / batch;
  const apart = op.reshape(images, [batch, frames, 1, ...image]);
  const wide = stride === 1 ? apart : op.pad(apart, [0, 0, 0, 0, 0, 0], [0, 0, stride - 1, 0, 0, 0]);
  const span = (frames - 1) * stride + 1;
  const run = op.slice(op.reshape(wide, [batch, frames * stride, ...image]), [0, 0, 0, 0, 0], [batch, span, ...image]);
  return op.pad(run, [0, start, 0, 0, 0], [0, full - start - span, 0, 0, 0]);
}

/**
 * Each input position adds its kernel, [...size, filters, channels], to the output.
 * @param extra of `output_padding`; null: the output is as long as the padding makes it.
 */
export function transposedOf(
  op: Operations,
  x: Node,
  kernel: Node,
  { sizes, strides, dilations, padding }: Sliding,
  extra: readonly number[] | null,
): Node {
  const [batch, ...rest] = x.shape as [number, ...number[]];
  const places = rest.slice(0, -1);
  const filters = kernel.shape.at(-2)!;
  const full = places.map((n, i) => (n - 1) * strides[i]! + (sizes[i]! - 1) * dilations[i]! + 1);
  const spread = (image: Node, own: Node, space: readonly number[], from: number): Node => {
    const two = (list: readonly number[], fill: number) => (list.length === 1 ? [list[0]!, fill] : list.slice(from));
    const attrs = { strides: two(strides, 1), dilations: two(dilations, 1), pads: [0, 0, 0, 0] };
    const shape = [image.shape[0]!, ...imageSizes(space), filters];
    return op.graph.add({ op: 'Conv2DBackpropInput', inputs: [image, own], attrs, shape });
  };
  let y: Node;
  if (places.length === 3) {
    const images = op.reshape(x, [batch * places[0]!, ...x.shape.slice(2)]);
    const parts = Array.from({ length: sizes[0]! }, (_, k) =>
      spreadFrames(op, spread(images, tap(op, kernel, k), full.slice(1), 1), batch, k * dilations[0]!, strides[0]!, full[0]!),
    ); // prettier-ignore
    y = sum(op, parts);
  } else y = op.reshape(spread(asImage(op, x), asImage(op, kernel, 1), full, 0), [batch, ...full, filters]);
  const wanted = places.map((n, i) => transposedLength(n, sizes[i]!, strides[i]!, dilations[i]!, padding, extra?.[i] ?? null)); // prettier-ignore
  // What "same" leaves out in front; behind the last window there are zeros.
  const before = full.map((n, i) => (padding === 'same' ? Math.floor(Math.max(n - wanted[i]!, 0) / 2) : 0));
  const kept = full.map((n, i) => Math.min(n - before[i]!, wanted[i]!));
  const cut = op.slice(y, [0, ...before, 0], [batch, ...kept, filters]);
  const behind = wanted.map((n, i) => n - kept[i]!);
  return behind.some((n) => n > 0) ? op.pad(cut, [0, ...behind.map(() => 0), 0], [0, ...behind, 0]) : cut;
}
