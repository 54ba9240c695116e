/** The runs of a workspace, read from their folders: `<workspace>/.lcprune/runs/<time>-<plan>/`. */
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { RunEvent } from '../protocol/events.js';
import type { RunSummary } from '../protocol/messages.js';

/** A window of a run's log. */
export interface History {
  readonly events: RunEvent[];
  /** Index of the first event not in the window. */
  readonly next: number;
  /** Whether `next` is the end of the log as it is now. */
  readonly end: boolean;
}

/** Newest first. A folder that cannot be read is listed as failed, with the reason. */
export function listRuns(_workspace: string): Promise<RunSummary[]> {
  throw new Error('not written yet');
}

/** @throws UserError('run-missing' | 'run-invalid'). */
export function runSummary(_folder: string): Promise<RunSummary> {
  throw new Error('not written yet');
}

/** Absolute folder of a run given its name. @throws UserError('run-missing') for names that are no run of this workspace. */
export function runFolder(_workspace: string, _run: string): Promise<string> {
  throw new Error('not written yet');
}

/** The run's resolved plan. @throws UserError('run-invalid'). */
export function readRunPlan(_folder: string): Promise<ResolvedPlan> {
  throw new Error('not written yet');
}

/** Events [from, from + limit) of the log; its `batch` events thinned to at most `resolution` points (bucket means). */
export function readEvents(_folder: string, _from: number, _limit: number, _resolution?: number): Promise<History> {
  throw new Error('not written yet');
}

/** @throws UserError('run-invalid') while a trainer works on it. */
export function deleteRun(_workspace: string, _run: string): Promise<void> {
  throw new Error('not written yet');
}

/** Gives the run folder a new name after its time stamp. Resolves to the new name. */
export function renameRun(_workspace: string, _run: string, _name: string): Promise<string> {
  throw new Error('not written yet');
}
