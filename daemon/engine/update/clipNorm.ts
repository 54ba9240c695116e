/** Clipping of the gradient by its norm over all weights. (Pascanu, Mikolov & Bengio 2013, algorithm 1; PyTorch's clip_grad_norm_) */

/** Added to the norm, as PyTorch does. */
export const NORM_EPSILON = 1e-6;

/** Weights whose gradients do not count: they stay 0. */
interface Masked {
  readonly keep: Uint8Array;
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

/**
 * Scales a gradient in place so that its Euclidean norm is at most `most`: by most / (norm + 1e-6) if that is below 1. The norm is summed in float64,
 * over the weights that the mask lets move.
 */
export function clipNorm(gradient: Float32Array, most: number, mask?: Masked): void {
  for (const { start, end } of mask?.ranges ?? [])
    for (let i = start; i < end; i++) if (mask!.keep[i] === 0) gradient[i] = 0;
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  const factor = most / (Math.sqrt(sum) + NORM_EPSILON);
  if (!(factor < 1)) return;
  for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
}
