/** Follows a run that a queue has, through its folder: nothing of it runs here. */
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunEvent } from '../../protocol/events.js';
import { placeOfJob } from '../../protocol/runs/placeOfJob.js';
import { lastEvents } from '../eventLog.js';
import { LIMITS } from '../limits.js';
import { LogTail } from '../logTail.js';
import { jobName, readJob } from './jobs.js';
import { refresh } from './refresh.js';

export interface Following {
  /** An event of the run, each once and in order. */
  onEvent(event: RunEvent): void;
  /** Where the job is now, in words, if that has changed: "slurm job 12, pending: Priority". */
  onPlace(place: string): void;
  /** Ends the following; the job goes on. */
  readonly signal: AbortSignal;
}

/**
 * @param folder of the run, absolute.
 * @returns the last event of the run when its job has ended; null if the caller left before. @throws UserError('run-invalid') if its log cannot be
 * read.
 */
export async function followJob(folder: string, { onEvent, onPlace, signal }: Following): Promise<RunEvent | null> {
  const tail = await LogTail.open(folder);
  let place = '';
  let asked = -Infinity;
  let pause: number = LIMITS.firstJobInterval;
  while (!signal.aborted) {
    if (performance.now() - asked >= pause) {
      // A queue that does not answer for a while loses nothing: its answer is late.
      await refresh([folder]).catch(() => undefined);
      asked = performance.now();
      pause = Math.min(2 * pause, LIMITS.jobInterval);
    }
    const job = await readJob(folder);
    const now = job ? `${jobName(job)}, ${placeOfJob({ ...job, until: undefined })}` : '';
    if (job && now !== place) onPlace(now);
    place = now;
    await tail.read(onEvent);
    if (!job) return lastOf(folder);
    await wait(LIMITS.followInterval, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** A job always ends with an event in the log, unless its folder cannot be written, or is gone. */
async function lastOf(folder: string): Promise<RunEvent> {
  const { state } = await lastEvents(folder);
  if (state && ['done', 'failed', 'stopped'].includes(state.event)) return state;
  const message = `${basename(folder)} has ended, and its log does not say how; lc-prune resume continues it`;
  return { time: Date.now(), event: 'failed', code: 'run-invalid', message };
}
