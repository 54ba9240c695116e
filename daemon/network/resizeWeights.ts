import type { Attributes } from './ir.js';

/**
 * How much each of `from` pixels gives to each of `to` pixels along one axis, as [to, from]: resizing is a product with
 * these along either axis, and its gradient one with their transposes. TensorFlow's arithmetic.
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
