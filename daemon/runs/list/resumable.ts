import { basename } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { holderText, lockOwner } from '../../trainer/process/lock.js';
import { runPaths } from '../../trainer/process/runFolder.js';
import { lastEvents } from '../eventLog.js';
import { requireNoJob } from '../runners/jobs.js';

/** @throws UserError('run-invalid') if a trainer holds the run. */
async function requireUnlocked(folder: string): Promise<void> {
  const owner = await lockOwner(runPaths(folder).lock);
  if (owner !== null)
    throw new UserError('run-invalid', `${basename(folder)} is being worked on by ${holderText(owner)}; stop it first`);
}

/** @throws UserError('run-invalid') if a queue has the run, or a trainer holds it. @param folder of the run, absolute. */
export async function requireIdle(folder: string): Promise<void> {
  await requireNoJob(folder);
  await requireUnlocked(folder);
}

/** For the job of a run that a queue has. @throws UserError('run-invalid') if a trainer holds the run, or it is done. @param folder absolute. */
export async function requireUnfinished(folder: string): Promise<void> {
  await requireUnlocked(folder);
  const { state } = await lastEvents(folder);
  if (state?.event === 'done')
    throw new UserError('run-invalid', `${basename(folder)} is finished; its result is in ${runPaths(folder).result}`);
}

/** @throws UserError('run-invalid') if the run is not idle, or it is done. @param folder of the run, absolute. */
export async function requireResumable(folder: string): Promise<void> {
  await requireNoJob(folder);
  await requireUnfinished(folder);
}
