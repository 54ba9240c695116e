import type { Attributes } from './ir.js';

/**
 * The share that each of `to` pixels takes of each of `from` pixels along one axis, as [to, from]. Resizing is a product with one such
 * matrix per axis, and its gradient a product with their transposes. The arithmetic is TensorFlow's.
 */
export function resizeWeights(
  { alignCorners, halfPixelCenters }: Attributes,
  from: number,
  to: number,
  linear: boolean,
) {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const weights = new Float32Array(from * to);
  for (let i = 0; i < to; i++) {
    const at = halfPixelCenters ? scale * (i + 0.5) - (linear ? 0.5 : 0) : scale * i;
    const low = Math.max(0, Math.floor(at));
    if (linear) {
      const share = at - Math.floor(at);
      weights[i * from + Math.min(low, from - 1)]! += 1 - share;
      weights[i * from + Math.min(Math.max(0, Math.ceil(at)), from - 1)]! += share;
    } else weights[i * from + Math.min(from - 1, alignCorners ? Math.floor(at + 0.5) : low)]! += 1;
  }
  return weights;
}
