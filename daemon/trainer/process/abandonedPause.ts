/** A trainer that outlives its supervisor while it is paused, and that nobody looks after again. */
import type { Control } from './control.js';
import { lockOwner } from './lock.js';

export interface Patience {
  /** Between two looks, milliseconds. */
  readonly interval: number;
  /** So many looks in a row find it paused and without a keeper. */
  readonly looks: number;
}

/** Long enough for a window to be opened again, short enough for no memory to be held overnight. */
const PATIENCE: Patience = { interval: 30_000, looks: 20 };

/**
 * Ends a pause, with a checkpoint, that lasts while nobody looks after the run. A run that trains is left to its end. Keeps the
 * process alive, as a pause has nothing else to wait for.
 * @param keeper file of the keeper's lock.
 */
export function endAbandonedPause(keeper: string, control: Control, patience: Patience = PATIENCE): NodeJS.Timeout {
  let looks = 0;
  const timer = setInterval(() => {
    void (async () => {
      const isAbandoned = control.pauseWanted && (await lockOwner(keeper)) === null;
      looks = isAbandoned ? looks + 1 : 0;
      if (looks < patience.looks) return;
      clearInterval(timer);
      control.stop('abandoned');
    })();
  }, patience.interval);
  return timer;
}
