/** Asks runners about their jobs, and records in a run's log how a job ended that could not record it itself. */
import { open } from 'node:fs/promises';
import type { UntimedRunEvent } from '../../protocol/events.js';
import type { RunnerName } from '../../protocol/runs/runOn.js';
import { newestCheckpoint } from '../../trainer/checkpoint.js';
import { appendEvent } from '../../trainer/log/appendEvent.js';
import { lockOwner } from '../../trainer/process/lock.js';
import { runPaths } from '../../trainer/process/runFolder.js';
import { lastEvents } from '../eventLog.js';
import { LIMITS } from '../limits.js';
import { dropJob, isStopMarked, jobName, readJob, runsWithJobs, writeJob, type Job } from './jobs.js';
import { RUNNERS } from './registry.js';
import type { JobReport } from './runner.js';

/** Asks about all jobs of a workspace, one question a runner. @throws UserError if a runner cannot be asked; the others are. */
export const refreshJobs = async (workspace: string): Promise<void> => refresh(await runsWithJobs(workspace));

/** The same for these runs. @param folders absolute. */
export async function refresh(folders: readonly string[]): Promise<void> {
  const jobs: { folder: string; job: Job }[] = [];
  for (const folder of folders) {
    const job = await readJob(folder);
    if (job) jobs.push({ folder, job });
  }
  let failed: unknown = null;
  for (const name of Object.keys(RUNNERS) as RunnerName[]) {
    const own = jobs.filter(({ job }) => job.on === name);
    const ids = own.map(({ job }) => job.id).filter(Boolean);
    try {
      const states = ids.length > 0 ? await RUNNERS[name].states(ids) : new Map<string, JobReport>();
      for (const { folder, job } of own) await update(folder, job, states.get(job.id));
    } catch (error) {
      failed = error;
    }
  }
  if (failed !== null) throw failed;
}

/** @param report undefined: the runner does not know the job any more. */
async function update(folder: string, job: Job, report: JobReport | undefined): Promise<void> {
  if (job.id === '' && Date.now() - job.submitted < LIMITS.submitTime) return;
  const { reason: _reason, node: _node, until: _until, ...kept } = job;
  const now: Job = { ...kept, ...(report ?? { state: 'ended' }) };
  if (now.state === 'ended') return settle(folder, now);
  // The time that is left is reported in whole seconds: what moves by less than this is the same limit.
  const isSameLimit = Math.abs((now.until ?? 0) - (job.until ?? 0)) < LIMITS.limitSlack;
  const isSame = isSameLimit && (['state', 'reason', 'node'] as const).every((field) => now[field] === job[field]);
  if (!isSame && (await readJob(folder)) !== null) await writeJob(folder, now);
}

/** The job has ended: its run's log says how, and the queue has the run no longer. */
async function settle(folder: string, job: Job): Promise<void> {
  // Its trainer still writes, or a shared folder shows what has been.
  if ((await lockOwner(runPaths(folder).lock)) !== null) return;
  const events = await lastEvents(folder);
  const { state } = events;
  const isOwn = state !== null && state.time !== job.before;
  // One that was to be continued is not; one whose trainer was still loading when the signal came has no checkpoint to write.
  const isInterrupted =
    (state?.event === 'stopped' && state.reason !== 'user') ||
    (state?.event === 'failed' && state.ending?.cause === 'killed');
  const isGivenUp = isInterrupted && (await isStopMarked(folder));
  const hasEnded = isOwn && !isGivenUp && ['done', 'failed', 'stopped'].includes(state.event);
  if (!hasEnded) {
    const written = await appendEvent(folder, await endOf(folder, job, isOwn)).then(
      () => true,
      () => false,
    );
    // The folder is gone, or another trainer is faster. A later look decides, unless there is nothing to look at.
    if (!written && (await lastEvents(folder).catch(() => null)) !== null && (await isHeld(folder))) return;
  }
  await dropJob(folder);
}

const isHeld = async (folder: string): Promise<boolean> => (await lockOwner(runPaths(folder).lock)) !== null;

/** @param hasBegun whether the job had begun to train. */
async function endOf(folder: string, job: Job, hasBegun: boolean): Promise<UntimedRunEvent> {
  const { reason } = job;
  const how = reason === undefined ? '' : ` (${reason})`;
  if ((await isStopMarked(folder)) || (!hasBegun && /^CANCELLED/.test(reason ?? '')))
    return {
      event: 'stopped',
      step: (await lastEvents(folder)).batch?.step ?? 0,
      reason: 'user',
      resume: 'lc-prune resume',
    };
  const words = await lastLines(job.output);
  const output = words === null ? `it printed nothing (${job.output})` : `${words}; all of its output is in ${job.output}`; // prettier-ignore
  if (!hasBegun) {
    const message = `${jobName(job)} ended${how} before the run began: ${output}`;
    return { event: 'failed', code: 'run-invalid', message };
  }
  const events = await lastEvents(folder);
  const engine = events.start?.engine ?? 'auto';
  const checkpoint = await newestCheckpoint(runPaths(folder).checkpoints);
  const message = `${jobName(job)} ended${how} in the middle of the run: ${output}; resume continues from the last checkpoint`;
  const ending = { how: reason ?? 'unknown', cause: 'killed' as const, engine, checkpoint, next: null };
  return { event: 'failed', code: 'engine-failed', message, ending };
}

/** The last lines of a job's output, as one; null: there is none. */
async function lastLines(file: string): Promise<string | null> {
  const handle = await open(file).catch(() => null);
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - LIMITS.outputBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .map((one) => one.trim())
      .filter(Boolean);
    return lines.length > 0 ? lines.slice(-LIMITS.explainingLines).join(' | ') : null;
  } finally {
    await handle.close();
  }
}
