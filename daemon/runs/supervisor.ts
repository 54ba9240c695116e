/** Starts, controls and watches trainers: one child process per active run. */
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { RunEvent } from '../protocol/events.js';

/** Who asked a run to stop. `user` and `interrupt` (Ctrl-C) leave it "stopped"; the others leave it "interrupted". */
export type StopReason = 'user' | 'interrupt' | 'shutdown' | 'disconnect';

export interface RunOptions {
  /** Absolute path of the workspace folder; the run folder is created under `<workspace>/.lcprune/runs`. */
  readonly workspace: string;
  /** Path of the trainer's bundle. Default: `trainer.mjs` of this package's dist folder. */
  readonly trainer?: string;
  /** Lines the trainer's native libraries print. Default: kept for the crash message only. */
  readonly onOutput?: (line: string) => void;
}

/** A run with a living trainer. */
export interface RunHandle {
  /** Name of the run folder. */
  readonly id: string;
  /** Absolute path of the run folder. */
  readonly folder: string;
  /** Process id of the trainer. */
  readonly pid: number;
  /** Every event from now on, in order, already in the log. Returns the function that ends the subscription. */
  onEvent(callback: (event: RunEvent) => void): () => void;
  /** Checkpoints and waits with the trainer alive. Resolves when paused. */
  pause(): Promise<void>;
  /** Continues after `pause`. */
  resume(): Promise<void>;
  /** Checkpoints and ends the trainer; the run can be resumed with `resumeRun`. Resolves when the trainer has ended. */
  stop(reason: StopReason): Promise<void>;
  /** Writes a checkpoint at the next step boundary. Resolves when it is on disk. */
  checkpoint(): Promise<void>;
  /** Changes the budget from the next LC iteration on. @throws UserError('budget-impossible') with the nearest valid one. */
  setBudget(budget: Budget): Promise<void>;
  /** Resolves, never rejects, with the last event: `done`, `stopped` or `failed` (also when the trainer crashed). */
  readonly done: Promise<RunEvent>;
}

/**
 * Creates a run folder and starts a trainer on it.
 * @throws UserError('disk') when the folder cannot be written, UserError('run-invalid') when the trainer does not start.
 */
export function startRun(_plan: ResolvedPlan, _options: RunOptions): Promise<RunHandle> {
  throw new Error('not written yet');
}

/**
 * Continues a stopped, interrupted, failed or paused (trainer gone) run from its last good checkpoint.
 * @param folder the run folder, absolute, or its name.
 * @throws UserError('run-missing'), UserError('run-invalid') when it is finished or another trainer works on it.
 */
export function resumeRun(_folder: string, _options: RunOptions): Promise<RunHandle> {
  throw new Error('not written yet');
}
