import type { Node } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';
import { sameShape } from '../../network/ir.js';
import type { Geometry, Pool } from './layout.js';
import { Unsupported } from './units.js';

/**
 * The sizes of a convolution or of one of its gradients.
 *
 * @param node has the strides, pads and dilations. @param x the images. @param filter the kernel. @param y what the convolution gives.
 * @throws Unsupported
 */
export function geometry(node: Node, x: Node, filter: Node, y: Node): Geometry {
  const [sh, sw] = node.attrs['strides'] as [number, number];
  const dilations = node.attrs['dilations'] as [number, number];
  const [top, left] = node.attrs['pads'] as [number, number];
  const [batch, h, w, c] = x.shape as [number, number, number, number];
  const [kh, kw, channels, filters] = filter.shape as [number, number, number, number];
  if (channels !== c) throw new Unsupported(node, ' in groups');
  const dilated = dilations.some((n) => n !== 1);
  if (dilated && (sh > 1 || sw > 1)) throw new Unsupported(node, ' with such dilation');
  const f = node.op.startsWith('Depthwise') ? c * filters : filters;
  const [, oh, ow] = y.shape as [number, number, number];
  const [dh, dw] = dilations;
  const outside = (n: number, reach: number, stride: number, before: number, count: number) => before > reach || (count - 1) * stride - before >= n; // prettier-ignore
  if (outside(h, (kh - 1) * dh, sh, top, oh) || outside(w, (kw - 1) * dw, sw, left, ow)) throw new Unsupported(node, ' with windows of padding alone'); // prettier-ignore
  return { batch, h, w, c, oh, ow, f, kh, kw, sh, sw, top, left, dh, dw };
}

export const noPool: Pool = { ph: 0, pw: 0, sh: 0, sw: 0, oh: 0, ow: 0 };

/** Whether a gradient's windows are those of the pooling that found the maxima, on images of one shape. */
export const isPoolingOf = (pool: Node, gradient: Node): boolean =>
  pool.op === 'MaxPool' &&
  sameShape(pool.inputs[0]!.shape, gradient.shape) &&
  sameShape(pool.shape, gradient.inputs[0]!.shape) &&
  ['window', 'strides', 'pads'].every((key) => sameShape(pool.attrs[key] as number[], gradient.attrs[key] as number[]));

/** The windows of a pooling, or of its gradient with what it pooled. */
export function poolOf(pool: Node, pooled: Node = pool): Pool {
  const [, oh, ow] = pooled.shape as [number, number, number, number];
  const [ph, pw] = pool.attrs['window'] as [number, number];
  const [sh, sw] = pool.attrs['strides'] as [number, number];
  return { ph, pw, sh, sw, oh, ow };
}

/** A shape as three sizes, of which the middle one is an axis. */
export const sizesAround = (shape: readonly number[], axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  middle: shape[axis]!,
  inner: sizeOf(shape.slice(axis + 1)),
});

/** A reduction as three sizes, of which the middle one is summed. @throws Unsupported over axes that are not side by side. */
export function reducedSizes(node: Node) {
  const { shape } = node.inputs[0]!;
  const axes = (node.attrs['axes'] as readonly number[]).filter((axis) => shape[axis] !== 1);
  const [first, last] = [axes[0] ?? 0, axes.at(-1) ?? -1];
  const between = shape.slice(first, last + 1).map((n, i) => n === 1 || axes.includes(first + i));
  if (between.includes(false)) throw new Unsupported(node, ' over separate axes');
  return {
    outer: sizeOf(shape.slice(0, first)),
    middle: sizeOf(shape.slice(first, last + 1)),
    inner: sizeOf(shape.slice(last + 1)),
  };
}
