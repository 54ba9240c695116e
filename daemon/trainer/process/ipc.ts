/** Messages between a supervisor and its trainer (child_process IPC, JSON). Both ends ship together, so they are not versioned. */
import type { ErrorCode } from '../../protocol/errors.js';
import type { RunEvent } from '../../protocol/events.js';
import type { Budget } from '../../protocol/plan.js';
import type { Program } from './lock.js';

/** The argument of a trainer that is started before there is a run for it: it loads its code meanwhile. */
export const WARM_ARGUMENT = '--warm';

/**
 * Who asked a run to stop. `user` and `interrupted` (Ctrl-C) leave it "stopped"; the others leave it "interrupted". `abandoned`: it was paused, and
 * no process looked after it.
 */
export type StopReason = 'user' | 'interrupted' | 'shutdown' | 'disconnect' | 'abandoned';

/** Requests of a supervisor; each is answered once, by its id. */
export type TrainerRequest =
  | {
      readonly type: 'start';
      readonly folder: string;
      readonly workspace: string;
      readonly resume: boolean;
      /** For a resumed run: the engine to continue with; null: its own. */
      readonly engine: string | null;
      /** The program that runs the supervisor; the lock names it. */
      readonly program: Program;
      /** Whether it continues without its supervisor. */
      readonly outlives: boolean;
    }
  /** Changes that setting. */
  | { readonly type: 'outlive'; readonly on: boolean }
  /** Asks which engine after this one could continue the run. Answered in a process of its own, which may crash. */
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
  /** Progress of that search: the engine about to be loaded; then the engine found. */
  | { readonly type: 'trying'; readonly engine: string }
  | { readonly type: 'next'; readonly engine: string | null }
  | { readonly type: 'answer'; readonly id: number; readonly error: SentError | null }
  /** Resident memory of the trainer's process, bytes; every few seconds. */
  | { readonly type: 'memory'; readonly resident: number };
