/** Requests to a running loop. The loop checks them between steps and between LC iterations. */
import { UserError } from '../../protocol/errors.js';
import type { Budget } from '../../protocol/plan.js';
import type { StopReason } from './ipc.js';

/** Thrown by the loop when it has stopped as asked, its checkpoint written. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  constructor(
    readonly reason: StopReason,
    readonly step: number,
    /** It was paused then. */
    readonly paused = false,
  ) {
    super(`stopped: ${reason}`);
  }
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export interface Control {
  /** Resolves when the run is paused (its checkpoint written). */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the run at the next boundary. The first reason counts. */
  stop(reason: StopReason): void;
  /** Resolves when a checkpoint taken after this call is on disk. */
  checkpoint(): Promise<void>;
  /** From the next LC iteration on. @throws UserError('budget-impossible') if there is no further iteration. */
  setBudget(budget: Budget): void;

  readonly stopReason: StopReason | null;
  readonly pauseWanted: boolean;
  readonly checkpointWanted: boolean;
  /**
   * The loop begins to write a checkpoint; it answers earlier requests, not those that arrive meanwhile.
   * The returned function answers them: null when the checkpoint is on disk, or the error.
   */
  beginCheckpoint(): (error: unknown) => void;
  /** Resolves when a pause must react: `resume`, `stop` or `checkpoint`. */
  paused(): Promise<void>;
  /** The budget that takes effect at the next iteration. */
  readonly pendingBudget: Budget | null;
  takeBudget(): Budget | null;
  /** There is no next iteration. */
  closeBudget(): void;
  /** Rejects all pending requests, because the run has ended. */
  end(error: unknown): void;
}

export function createControl(): Control {
  let stopReason: StopReason | null = null;
  let pauseWanted = false;
  let budget: Budget | null = null;
  let closed = false;
  let wakeUp: (() => void) | null = null;
  let pauseWaiters: Waiter[] = [];
  let checkpointWaiters: Waiter[] = [];
  const wait = (waiters: Waiter[]) => new Promise<void>((resolve, reject) => waiters.push({ resolve, reject }));
  const settle = (waiters: Waiter[], action: (waiter: Waiter) => void) => waiters.splice(0).forEach(action);
  return {
    pause() {
      if (wakeUp) return Promise.resolve();
      pauseWanted = true;
      return wait(pauseWaiters);
    },
    resume() {
      pauseWanted = false;
      settle(pauseWaiters, (waiter) => waiter.resolve());
      wakeUp?.();
    },
    stop(reason) {
      stopReason ??= reason;
      wakeUp?.();
    },
    checkpoint() {
      const written = wait(checkpointWaiters);
      wakeUp?.();
      return written;
    },
    setBudget(wanted) {
      if (closed)
        throw new UserError(
          'budget-impossible',
          'the LC iterations of this run are over; start a new run with the new budget',
        );
      budget = wanted;
    },
    get stopReason() {
      return stopReason;
    },
    get pauseWanted() {
      return pauseWanted;
    },
    get checkpointWanted() {
      return checkpointWaiters.length > 0;
    },
    beginCheckpoint() {
      const asked = checkpointWaiters.splice(0);
      return (error) => settle(asked, (waiter) => (error === null ? waiter.resolve() : waiter.reject(error)));
    },
    async paused() {
      settle(pauseWaiters, (waiter) => waiter.resolve());
      if (stopReason === null && pauseWanted && checkpointWaiters.length === 0)
        await new Promise<void>((resolve) => (wakeUp = resolve));
      wakeUp = null;
    },
    get pendingBudget() {
      return budget;
    },
    closeBudget() {
      closed = true;
    },
    takeBudget() {
      const taken = budget;
      budget = null;
      return taken;
    },
    end(error) {
      settle([...pauseWaiters, ...checkpointWaiters], (waiter) => waiter.reject(error));
      pauseWaiters = [];
      checkpointWaiters = [];
    },
  };
}
