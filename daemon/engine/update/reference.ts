import type { Segment } from './segments.js';

/** One step's numbers. */
export interface UpdateSettings {
  /** Learning rate, > 0. */
  readonly eta: number;
  /** In [0, 1). */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** l2 coefficient of the segments with decay. */
  readonly weightDecay: number;
  /** Penalty of the segments with penalty. */
  readonly mu: number;
}

type Vector = Float32Array | Float64Array;

/**
 * The LC-SGD update in plain float64: the oracle that the kernels and every engine are tested against.
 *
 * d = g + weightDecay w + mu (w - target), the gradient of L(w) + mu/2 ||w - theta - lambda/mu||^2 for
 * target = theta + lambda/mu [Carreira-Perpinan & Idelbayev 2018, eq. 4]; then v = momentum v + d and
 * w = w - eta (nesterov ? d + momentum v : v), which is torch.optim.SGD's convention (dampening 0).
 * Masked: w = v = 0 where keep is 0.
 *
 * @param w, v, g, target, keep all of the same length; w and v are changed in place.
 */
export function referenceUpdate(
  w: Vector,
  v: Vector,
  g: Vector,
  segments: readonly Segment[],
  { eta, momentum, nesterov, weightDecay, mu }: UpdateSettings,
  target?: Vector,
  keep?: Uint8Array,
): void {
  for (const { start, end, decay, penalty, mask } of segments) {
    for (let i = start; i < end; i++) {
      if (mask && !keep![i]) {
        w[i] = v[i] = 0;
        continue;
      }
      const d = g[i]! + (decay ? weightDecay * w[i]! : 0) + (penalty ? mu * (w[i]! - target![i]!) : 0);
      v[i] = momentum * v[i]! + d;
      w[i]! -= eta * (nesterov ? d + momentum * v[i]! : v[i]!);
    }
  }
}
