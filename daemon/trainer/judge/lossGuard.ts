/**
 * Watches the batch losses of one phase for training that destroys the network: the loss stays several times above that at the phase's beginning and
 * near, or above, the loss of a constant answer.
 */
import * as z from 'zod';

/** Weight of a new loss in the running mean: it covers about ten steps. */
const WEIGHT = 0.1;
/** The running mean must be too high for this many steps in a row, or at the end of the phase. */
const PATIENCE = 20;
/** Factor on the loss at the phase's beginning up to which a loss is harmless. */
const RISE = 3;
/** A loss above this share of the loss by chance is near chance. */
export const NEAR_CHANCE = 0.95;

export const GuardState = z.object({
  /** Loss of the phase's first batch; null before it. */
  start: z.number().nullable(),
  /** Running mean of the batch losses. */
  smoothed: z.number().nullable(),
  /** Number of consecutive steps at which that was too high. */
  above: z.int().min(0),
  /** Smaller rates did not help: the loss is high for another reason. */
  off: z.boolean(),
});
export type GuardState = z.infer<typeof GuardState>;

export const freshGuard = (): GuardState => ({ start: null, smoothed: null, above: 0, off: false });

/**
 * The loss above which training has destroyed the network; Infinity while that is unknown.
 * @param chance loss of a constant answer; null: unknown.
 */
export function lossLimit({ start, off }: Pick<GuardState, 'start' | 'off'>, chance: number | null): number {
  return off || start === null || chance === null ? Infinity : Math.max(RISE * start, NEAR_CHANCE * chance);
}

/** Adds one batch's loss, which is finite, to the state. */
export function watch(state: GuardState, loss: number, chance: number | null): void {
  state.start ??= loss;
  state.smoothed = state.smoothed === null ? loss : state.smoothed + WEIGHT * (loss - state.smoothed);
  state.above = state.smoothed > lossLimit(state, chance) ? state.above + 1 : 0;
}

/** Whether the phase must be repeated from its beginning. @param last it has no further step. */
export const isDestroyed = ({ above }: GuardState, last: boolean): boolean => above >= PATIENCE || (last && above > 0);
