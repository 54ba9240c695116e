/** Defaults of a plan's settings; every value can be set in the plan. docs/paper-lenet300.md shows the results they give. */
import type { ResolvedPlan, TrainingSettings } from '../protocol/resolvedPlan.js';

export const TRAINING: TrainingSettings = {
  batchSize: 256,
  learningRate: 0.1,
  learningRateSchedule: 'exponential',
  decay: 0.98,
  decayMode: 'iteration',
  warmup: 0,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
};

/**
 * lr 0.1 x 0.98^j and mu_j = mu0 a^j as in the authors' own example, with a = 1.15 so that w reaches theta at the end. tolerance: the distance that
 * they reach.
 */
export const SCHEDULE: ResolvedPlan['schedule'] = {
  mu0: 1e-4,
  a: 1.15,
  iterations: 40,
  multipliers: 'AL',
  epochs: 3,
  firstEpochs: 3,
  tolerance: 0.03,
  stableIterations: 2,
};

/** mu grows by the same total factor in every plan without a schedule, however many iterations it has. */
export const MU_GROWTH = SCHEDULE.a ** (SCHEDULE.iterations - 1);

/** Retraining's learning rate, as a share of training's. */
export const RETRAIN_RATE = 0.5;

export const RETRAIN: ResolvedPlan['retrain'] = {
  ...TRAINING,
  learningRate: RETRAIN_RATE * TRAINING.learningRate,
  decay: 0.9,
  decayMode: 'epoch',
  epochs: 20,
};

/** Used where the plan names an architecture, or for `lc-prune train`. */
export const REFERENCE: ResolvedPlan['reference'] = { ...TRAINING, decay: 0.9, decayMode: 'epoch', epochs: 20 };

/** Shares that a new plan may have, the smallest first. */
const SHARES: readonly [text: string, share: number][] = [
  ['1%', 0.01],
  ['3%', 0.03],
  ['10%', 0.1],
  ['30%', 0.3],
];
/** A network that keeps fewer weights than this is rarely of use: the smallest of LeNet300 has 2,662. */
const ENOUGH = 1_000;

/** The share that a new plan keeps of so many prunable weights: the smallest that leaves a thousand, else 30%. */
export const usualKeep = (prunable: number): string =>
  (SHARES.find(([, share]) => share * prunable >= ENOUGH) ?? SHARES.at(-1)!)[0];
