/** Messages between a supervisor and its trainer (child_process IPC, JSON). Both ends ship together, so they are not versioned. */
import type { ErrorCode } from '../../protocol/errors.js';
import type { RunEvent } from '../../protocol/events.js';
import type { Budget } from '../../protocol/plan.js';
import type { Program } from './lock.js';

/** The argument of a trainer that is started before there is a run for it: it loads its code meanwhile. */
export const WARM_ARGUMENT = '--warm';

/**
 * Who asked a run to stop. `user` and `interrupted` (Ctrl-C) leave it "stopped"; the others leave it "interrupted". `abandoned`: it was
 * paused, and nobody looked after it any more.
 */
export type StopReason = 'user' | 'interrupted' | 'shutdown' | 'disconnect' | 'abandoned';

/** What a supervisor can ask; each is answered once, by its id. */
export type TrainerRequest =
  | {
      readonly type: 'start';
      readonly folder: string;
      readonly workspace: string;
      readonly resume: boolean;
      /** Of a resumed run: the engine to go on with; null: its own. */
      readonly engine: string | null;
      /** What runs the supervisor; the lock names it. */
      readonly program: Program;
      /** Whether it goes on without its supervisor. */
      readonly outlives: boolean;
    }
  /** Changes that. */
  | { readonly type: 'outlive'; readonly on: boolean }
  /** Which engine after this one could go on with the run. A process of its own: the answer may be its crash. */
  | { readonly type: 'next'; readonly folder: string; readonly workspace: string; readonly after: string }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop'; readonly reason: StopReason }
  | { readonly type: 'checkpoint' }
  | { readonly type: 'setBudget'; readonly budget: Budget };

export type ToTrainer = TrainerRequest & { readonly id: number };

/** An error that crossed the process boundary; the supervisor throws it again as a UserError. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
}

export type FromTrainer =
  | { readonly type: 'event'; readonly event: RunEvent }
  /** On the way to the next engine: about to load this one; then the engine that was found. */
  | { readonly type: 'trying'; readonly engine: string }
  | { readonly type: 'next'; readonly engine: string | null }
  | { readonly type: 'answer'; readonly id: number; readonly error: SentError | null }
  /** Resident memory of the trainer's process, bytes; every few seconds. */
  | { readonly type: 'memory'; readonly resident: number };
