/**
 * Watches the batch losses of one phase for a network that training destroys: a loss that stays several times above where the
 * phase began and near, or above, the loss of always giving the same answer.
 */
import { z } from 'zod';

/** Weight of a new loss in the running mean: it looks back about ten steps. */
const WEIGHT = 0.1;
/** The running mean must stay too high for this many steps in a row, or end the phase so. */
const PATIENCE = 20;
/** Times the loss at the phase's beginning that are no cause for alarm. */
const RISE = 3;
/** This share of the loss by chance is near chance. */
export const NEAR_CHANCE = 0.95;

export const GuardState = z.object({
  /** Loss of the phase's first batch; null before it. */
  start: z.number().nullable(),
  /** Running mean of the batch losses. */
  smoothed: z.number().nullable(),
  /** Steps in a row for which that was too high. */
  above: z.int().min(0),
  /** Smaller rates did not help: the loss is high for another reason. */
  off: z.boolean(),
});
export type GuardState = z.infer<typeof GuardState>;

export const freshGuard = (): GuardState => ({ start: null, smoothed: null, above: 0, off: false });

/**
 * The loss above which training has destroyed the network; Infinity while that cannot be said.
 * @param chance loss of always giving the same answer; null: unknown.
 */
export function lossLimit({ start, off }: Pick<GuardState, 'start' | 'off'>, chance: number | null): number {
  return off || start === null || chance === null ? Infinity : Math.max(RISE * start, NEAR_CHANCE * chance);
}

/** Takes one batch's loss, finite, into the state. */
export function watch(state: GuardState, loss: number, chance: number | null): void {
  state.start ??= loss;
  state.smoothed = state.smoothed === null ? loss : state.smoothed + WEIGHT * (loss - state.smoothed);
  state.above = state.smoothed > lossLimit(state, chance) ? state.above + 1 : 0;
}

/** Whether the phase must go back. @param last it has no further step. */
export const isDestroyed = ({ above }: GuardState, last: boolean): boolean => above >= PATIENCE || (last && above > 0);
