/** Steering a run whose trainer another process started. */
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../protocol/errors.js';
import { holderText, lockOwner, type LockHolder } from '../trainer/lock.js';
import { dropRequest, putRequest, type RequestType } from '../trainer/requestFile.js';
import { runPaths } from '../trainer/runFolder.js';
import { lastEvents } from './eventLog.js';

/** A trainer looks twice a second; one that took no notice for this long is of an earlier version, or hangs. */
const NOTICE_MS = 15_000;
/** How long a checkpoint may take. */
const EFFECT_MS = 60_000;
const LOOK_MS = 100;

/** @returns in words who runs it, for a message; null: nobody does. @param folder of the run, absolute. */
export async function runOwner(folder: string): Promise<string | null> {
  const owner = await lockOwner(runPaths(folder).lock);
  return owner && holderText(owner);
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/**
 * Asks the trainer to pause, to go on, or to write a checkpoint and end, and resolves when it has.
 * @throws UserError('run-invalid') where nobody runs it, or where who does takes no notice; UserError('disk').
 */
export async function steerRun(folder: string, type: RequestType): Promise<void> {
  const run = basename(folder);
  const paths = runPaths(folder);
  const owner = await lockOwner(paths.lock);
  if (!owner) throw new UserError('run-invalid', `${run} is not running; "Resume" continues it`);
  const refusal = (what: string) =>
    new UserError(
      'run-invalid',
      `${run} is run by ${holderText(owner)}, which ${what}; end it there, "Resume" then continues it here`,
    );
  await putRequest(paths.request, type);
  if (!(await within(NOTICE_MS, async () => !(await isThere(paths.request)) || (await isGone(paths.lock, owner))))) {
    await dropRequest(paths.request);
    throw refusal('does not answer');
  }
  const isDone = async () => {
    if (await isGone(paths.lock, owner)) return true;
    if (type === 'stop') return false;
    const isPaused = (await lastEvents(folder)).state?.event === 'paused';
    return isPaused === (type === 'pause');
  };
  if (!(await within(EFFECT_MS, isDone))) throw refusal(`was asked to ${type} and has not yet`);
}

async function isGone(lock: string, { pid, started }: LockHolder): Promise<boolean> {
  const now = await lockOwner(lock);
  return now === null || now.pid !== pid || now.started !== started;
}

async function within(milliseconds: number, check: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + milliseconds; performance.now() < end; await wait(LOOK_MS))
    if (await check()) return true;
  return false;
}
