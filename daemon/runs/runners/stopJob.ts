/** Ends a run that a queue has: one that has begun writes a checkpoint first. */
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../../protocol/errors.js';
import { LIMITS } from '../limits.js';
import { steerRun } from '../steer.js';
import { jobName, markStop, readJob } from './jobs.js';
import { refresh } from './refresh.js';
import { RUNNERS } from './registry.js';

/**
 * Resolves when the job has ended and the run's log says so.
 * @param folder of the run, absolute. @throws UserError('run-invalid') if no queue has it, or the job does not end.
 */
export async function stopJob(folder: string): Promise<void> {
  const job = await readJob(folder);
  if (!job) throw new UserError('run-invalid', `${basename(folder)} is in no queue`);
  await markStop(folder);
  const runner = RUNNERS[job.on];
  let asked: 'pending' | 'running' | null = null;
  const end = performance.now() + LIMITS.jobEndTime;
  for (; performance.now() < end; await wait(LIMITS.jobStopInterval)) {
    await refresh([folder]);
    const now = await readJob(folder);
    if (!now) return;
    // It may begin between the question and the request, or be queued again by another signal.
    if (now.state === asked || now.id === '') continue;
    asked = now.state === 'pending' ? 'pending' : 'running';
    if (asked === 'pending') await runner.cancel(now.id);
    else if (runner.signal) await runner.signal(now.id);
    else await steerRun(folder, { type: 'stop' }).catch(() => runner.cancel(now.id));
  }
  throw new UserError(
    'run-invalid',
    `${basename(folder)}: ${jobName(job)} was asked to end and has not within ${LIMITS.jobEndTime / 1000} s; it does not go on after its checkpoint`,
  );
}
