/** A run, a baseline or a point of a path as one row of a table of runs. Without validators, because the page uses it too. */
import type { Caution } from '../cautions.js';
import { isDoubtful } from '../doubtful.js';
import type { RunState } from '../events.js';
import type { RunMarks } from './marks.js';
import { placeOfJob, type JobState } from './placeOfJob.js';
import { givenName } from './runLabel.js';

/** A finished budget of a path run, as its summary has it. */
export interface PointFacts {
  readonly point: number;
  readonly budget: string;
  /** Share of the prunable weights. */
  readonly kept: number;
  readonly error: number | null;
  readonly bytes: number | null;
  readonly seconds: number;
}

/** The parts of a run's summary that a row needs; `name` is the name of its folder. */
export interface RunFacts {
  readonly name: string;
  readonly plan: string;
  readonly model: string;
  readonly method: string;
  readonly engine: string | null;
  readonly state: RunState;
  /** In [0, 1]; absent: not known. */
  readonly progress?: number | undefined;
  readonly started: number;
  readonly ended: number | null;
  readonly error: number | null;
  readonly referenceError: number | null;
  /** Errors are shares of samples that the reference answers otherwise. */
  readonly unlabelled?: boolean | undefined;
  readonly kept: number | null;
  readonly prunable: number | null;
  readonly cautions?: readonly Caution[] | undefined;
  readonly budget?: string | undefined;
  readonly bytes?: number | undefined;
  readonly seconds?: number | undefined;
  readonly points?: readonly PointFacts[] | undefined;
  readonly marks?: RunMarks | undefined;
  readonly job?: JobState | undefined;
}

export interface RunRow {
  /** Name of the run's folder. */
  readonly run: string;
  /** The point of a path; null: the run itself. */
  readonly point: number | null;
  readonly star: boolean;
  readonly name: string;
  readonly state: RunState | 'doubtful';
  /** Why its result needs care; '' if it does not. */
  readonly caution: string;
  /** Of a run that has not finished, in [0, 1]. */
  readonly progress: number | null;
  readonly started: number;
  readonly budget: string;
  /** Share of the prunable weights. */
  readonly kept: number | null;
  readonly error: number | null;
  readonly referenceError: number | null;
  /** As of the run. */
  readonly unlabelled: boolean;
  readonly bytes: number | null;
  readonly seconds: number | null;
  readonly engine: string;
  readonly method: string;
  readonly model: string;
  readonly tags: readonly string[];
  readonly note: string;
  /** Where it waits or runs, if not by a process of this machine; ''. */
  readonly place: string;
  /** Name of the workspace folder, where there are several. */
  readonly folder: string;
}

/** @param now for the duration of an active run. @param folder name of its workspace folder, if there are several. */
export function runRow(run: RunFacts, { now = Date.now(), folder = '' } = {}): RunRow {
  const { marks } = run;
  return {
    run: run.name,
    point: null,
    star: marks?.star ?? false,
    name: givenName(run) ?? run.plan,
    state: isDoubtful(run) ? 'doubtful' : run.state,
    caution: (run.cautions ?? []).map(({ message }) => message).join('\n'),
    progress: run.state === 'done' ? null : (run.progress ?? null),
    started: run.started,
    budget: run.budget ?? '',
    kept: run.kept === null || !run.prunable ? null : run.kept / run.prunable,
    error: run.error,
    referenceError: run.referenceError,
    unlabelled: run.unlabelled ?? false,
    bytes: run.bytes ?? null,
    seconds: run.seconds ?? ((run.ended ?? now) - run.started) / 1000,
    engine: run.engine ?? '',
    method: run.method,
    model: run.model,
    tags: marks?.tags ?? [],
    note: marks?.note ?? '',
    place: run.job ? placeOfJob(run.job, now) : '',
    folder,
  };
}

/** The points of a path run, in the order in which they were computed. */
export const pointRows = (run: RunFacts, row: RunRow): RunRow[] =>
  (run.points ?? []).map(({ point, budget, kept, error, bytes, seconds }) => ({
    ...row,
    point,
    star: false,
    state: 'done',
    caution: '',
    progress: null,
    place: '',
    budget,
    kept,
    error,
    bytes,
    seconds,
    tags: [],
    note: '',
  }));
