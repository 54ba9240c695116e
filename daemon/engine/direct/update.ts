import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Range, TrainRequest } from '../engine.js';
import { NORM_EPSILON } from '../update/clipNorm.js';
import type { BoundParameter } from './loadModel.js';
import type { TensorFlow } from './tensorflow.js';

/** The terms that a train call adds to one parameter's plain momentum step, kept on the device during the call. */
interface Extras {
  /** 1 where the penalty applies, 0 elsewhere; null where it applies nowhere. */
  readonly penalised: Tensor | null;
  readonly target: Tensor | null;
  /** False where the weight stays 0; null where nothing is masked. */
  readonly keep: Tensor | null;
}

/** 1 for the weights of `parameter` that lie within `ranges`; null if none does. */
function indicator({ offset, size }: BoundParameter, ranges: readonly Range[]): Float32Array | null {
  const result = new Float32Array(size);
  for (const { start, end } of ranges) {
    const from = Math.max(start - offset, 0);
    if (from < Math.min(end - offset, size)) result.fill(1, from, end - offset);
  }
  return result.includes(1) ? result : null;
}

/**
 * The update of daemon/engine/update as tensor operations, so that weights stay on the device. Same convention, see `referenceUpdate`; denormal
 * velocities are left to the device, which flushes them (GPUs do).
 */
export class TensorUpdate {
  private readonly extras: readonly Extras[];

  constructor(
    private readonly tf: TensorFlow,
    private readonly parameters: readonly BoundParameter[],
    private readonly velocities: readonly Variable[],
    private readonly request: TrainRequest,
  ) {
    const { core } = tf;
    const { penalty, mask } = request;
    this.extras = parameters.map((parameter) => {
      const { offset, size, variable } = parameter;
      const penalised = penalty ? indicator(parameter, penalty.ranges) : null;
      const masked = mask ? indicator(parameter, mask.ranges) : null;
      return {
        penalised: penalised && core.tensor(penalised, variable.shape),
        target: penalised && core.tensor(penalty!.target.slice(offset, offset + size), variable.shape),
        keep:
          masked &&
          core.tensor(
            Uint8Array.from(masked, (inside, i) => (inside && !mask!.keep[offset + i] ? 0 : 1)),
            variable.shape,
            'bool',
          ),
      };
    });
  }

  /** One step; called within a tidy. @param gradients by variable name; a parameter that the loss does not depend on has none. */
  step(gradients: Readonly<Record<string, Tensor>>, eta: number): void {
    const { core } = this.tf;
    const { momentum, nesterov, weightDecay, penalty } = this.request;
    const factor = this.#clip(gradients);
    this.parameters.forEach(({ variable: w, prunable }, i) => {
      const { penalised, target, keep } = this.extras[i]!;
      const v = this.velocities[i]!;
      let d = gradients[w.name] ?? core.zerosLike(w);
      if (factor) d = core.mul(d, factor);
      if (prunable && weightDecay !== 0) d = core.add(d, core.mul(w, weightDecay));
      if (penalised) d = core.add(d, core.mul(core.mul(core.sub(w, target!), penalised), penalty!.mu));
      let velocity: Tensor = core.add(core.mul(v, momentum), d);
      const direction = nesterov ? core.add(d, core.mul(velocity, momentum)) : velocity;
      let weights: Tensor = core.sub(w, core.mul(direction, eta));
      if (keep) {
        // where instead of a product: 0 times infinity is NaN, and 0 times a negative number is -0.
        velocity = core.where(keep, velocity, core.zerosLike(velocity));
        weights = core.where(keep, weights, core.zerosLike(weights));
      }
      v.assign(velocity);
      w.assign(weights);
    });
  }

  /** The factor of `clipNorm` (daemon/engine/update/clipNorm.ts), at most 1; null without clipping. */
  #clip(gradients: Readonly<Record<string, Tensor>>): Tensor | null {
    const { core } = this.tf;
    const most = this.request.clipNorm;
    if (most === undefined) return null;
    const squares = this.parameters.flatMap(({ variable: w }, i) => {
      const gradient = gradients[w.name];
      if (!gradient) return [];
      const { keep } = this.extras[i]!;
      const moving = keep ? core.where(keep, gradient, core.zerosLike(gradient)) : gradient;
      return [core.sum(core.square(moving))];
    });
    const norm = core.sqrt(core.addN([core.scalar(0), ...squares]));
    return core.minimum(core.div(most, core.add(norm, NORM_EPSILON)), 1);
  }

  dispose(): void {
    for (const { penalised, target, keep } of this.extras)
      this.tf.core.dispose([penalised, target, keep].filter((t) => t !== null));
  }
}
