/** One LC iteration of the engines as the product runs it: a penalised L step, a C step of daemon/lc, a masked retraining. */
import type { BatchStream, EngineSession, TrainRequest } from '../../../daemon/engine/engine.js';
import { cStep } from '../../../daemon/lc/cStep.js';
import { l0Constraint } from '../../../daemon/lc/projections/l0.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { Batch, Network } from './networks/network.js';

export const steps = 3;

export type Request = Omit<TrainRequest, 'batches'>;

const stream = (batches: readonly Batch[]): BatchStream => {
  let at = 0;
  return {
    next(inputs, target) {
      const batch = batches[at++]!;
      inputs.forEach((buffer, i) => buffer.set(batch.inputs[i]!));
      target.set(batch.target);
    },
  };
};

/** The C step: theta keeps the largest third of the prunable weights, over all layers. */
export function compress(session: EngineSession, weights: Float32Array): Float32Array {
  const theta = weights.slice();
  const size = session.prunableSize;
  if (size === 0) return theta;
  const compression = l0Constraint(Math.ceil(size / 3), size);
  cStep([{ name: 'all', ranges: [{ start: 0, end: size }], compression }], weights, null, 1, theta);
  return theta;
}

/** The L step towards theta, and the retraining of what theta keeps. @param scale of the gradient: steps stay small. */
export function requests(
  network: Network,
  session: EngineSession,
  theta: Float32Array,
  scale: number,
): { l: Request; mask: Request } {
  const random = createRandom(network.seed, 14);
  const ranges = session.prunableSize > 0 ? [{ start: 0, end: session.prunableSize }] : [];
  const eta = 0.02 / Math.max(1, scale);
  const common = {
    steps,
    learningRate: (i: number) => eta * 0.9 ** i,
    momentum: random.below(2) * 0.9,
    nesterov: random.below(2) === 1,
    weightDecay: random.below(2) * 1e-3,
  };
  const keep = Uint8Array.from(theta, (x, i) => Number(i >= session.prunableSize || x !== 0));
  return { l: { ...common, penalty: { mu: 0.1, target: theta, ranges } }, mask: { ...common, mask: { keep, ranges } } };
}

/** Trains from the given weights, with zero velocity. @returns the weights and states after it, or null if the loss is not finite. */
export async function train(
  session: EngineSession,
  weights: Float32Array,
  request: Request,
  batches: readonly Batch[],
): Promise<{ weights: Float32Array; state: Float32Array } | null> {
  await session.setWeights(weights);
  await session.setVelocity(new Float32Array(session.size));
  try {
    await session.train({ ...request, batches: stream(batches) });
  } catch (error) {
    if ((error as { code?: string }).code === 'diverged') return null;
    throw error;
  }
  return { weights: await session.getWeights(), state: await session.getState() };
}
