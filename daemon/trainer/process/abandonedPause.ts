/** Ends a trainer that outlives its supervisor while it is paused, if nobody looks after it again. */
import type { Control } from './control.js';
import { lockOwner } from './lock.js';

export interface Patience {
  /** Milliseconds between two checks. */
  readonly interval: number;
  /** After so many consecutive checks that find it paused and without a keeper, it ends. */
  readonly looks: number;
}

/** Long enough to reopen a window, short enough not to hold memory overnight. */
const PATIENCE: Patience = { interval: 30_000, looks: 20 };

/**
 * Ends a pause, with a checkpoint, that lasts while nobody looks after the run. A run that trains continues to its end. Keeps the process alive,
 * because a pause has nothing else to wait for.
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
