/** Ends all runs of a sweep with checkpoints, whichever process executes them. */
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { isThere } from '../../files/isThere.js';
import { UserError } from '../../protocol/errors.js';
import { holderText, lockOwner } from '../../trainer/process/lock.js';
import { LIMITS } from '../limits.js';
import { readJob } from '../runners/jobs.js';
import { stopJob } from '../runners/stopJob.js';
import { readRecord, runsOfPoints, sweepFiles } from './sweepFolder.js';

/** Calls `ask` when another process asks the sweep to end. @returns ends the watch. @param folder of the sweep, absolute. */
export function watchForStop(folder: string, ask: () => void): () => void {
  const { stop } = sweepFiles(folder);
  const timer = setInterval(() => {
    void isThere(stop).then(async (asked) => {
      if (!asked) return;
      clearInterval(timer);
      await rm(stop, { force: true });
      ask();
    });
  }, LIMITS.followInterval);
  return () => clearInterval(timer);
}

/**
 * Resolves when no run of it is executed, and none begins by itself.
 * @param folder of the sweep, absolute. @throws UserError('run-invalid') if nothing of it runs, or what runs does not end.
 */
export async function stopSweep(folder: string, workspace: string): Promise<void> {
  const record = await readRecord(folder);
  const queued: string[] = [];
  for (const run of await runsOfPoints(record, workspace)) if (run !== null && (await readJob(run))) queued.push(run);
  if (queued.length > 0) {
    await Promise.all(queued.map(stopJob));
    return;
  }
  const { lock, stop } = sweepFiles(folder);
  const owner = await lockOwner(lock);
  if (!owner)
    throw new UserError('run-invalid', `nothing of ${basename(folder)} is running or queued; lc-prune sweep continues it`);
  await writeFileAtomic(stop, '');
  try {
    for (const end = performance.now() + LIMITS.jobEndTime; performance.now() < end; await wait(LIMITS.jobStopInterval))
      if ((await lockOwner(lock)) === null) return;
  } finally {
    await rm(stop, { force: true });
  }
  throw new UserError(
    'run-invalid',
    `${basename(folder)} is executed by ${holderText(owner)}, which was asked to end and has not within ${LIMITS.jobEndTime / 1000} s; end it there`,
  );
} // prettier-ignore
