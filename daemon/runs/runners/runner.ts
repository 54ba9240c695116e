/** A runner executes runs elsewhere. Each is one module; `registry.ts` lists them. */
import type { JobState } from '../../protocol/runs/runOn.js';

/** One run that is to be executed: each is a task of the job. */
export interface Task {
  /** The run's folder, absolute, as the other machine sees it too. */
  readonly folder: string;
  /** Absolute. */
  readonly workspace: string;
}

export interface Submission {
  /** Shown by the cluster's own commands. */
  readonly name: string;
  readonly tasks: readonly Task[];
  /** Folder of the script and of the tasks' output, absolute; it exists. */
  readonly folder: string;
  /** Ids of jobs that must have ended before these begin. */
  readonly after: readonly string[];
  /** Tasks that may run at the same time. Absent: as many as the runner has room for. */
  readonly atOnce?: number;
}

/** A task as it was handed over. */
export interface Submitted {
  readonly id: string;
  /** File of what it prints, absolute. */
  readonly output: string;
}

/** What a runner reports of a job now. */
export type JobReport = Pick<JobState, 'state' | 'reason' | 'node' | 'until'>;

export interface Runner<Settings> {
  /** Hands all tasks over at once. @returns one entry a task, in order. @throws UserError that says what was refused; nothing is queued then. */
  submit(submission: Submission, settings: Settings): Promise<Submitted[]>;
  /** The present state of these jobs; one that the runner no longer knows is absent. @throws UserError if the runner cannot be asked. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, JobReport>>;
  /** Ends a job that has not begun. @throws UserError. */
  cancel(id: string): Promise<void>;
  /** Asks a job that runs to write a checkpoint and end. Absent: only the request in the run's folder does. @throws UserError. */
  signal?(id: string): Promise<void>;
}
