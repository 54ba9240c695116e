/** Steers a run whose trainer another process started. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isThere } from '../files/isThere.js';
import { UserError } from '../protocol/errors.js';
import type { Budget } from '../protocol/plan.js';
import { holderText, isSameHolder, lockOwner, type LockHolder } from '../trainer/process/lock.js';
import { isHere } from '../trainer/process/place.js';
import { answerOf, dropRequest, putRequest, type FileRequest } from '../trainer/process/requestFile.js';
import { runPaths, type RunPaths } from '../trainer/process/runFolder.js';
import { lastEvents } from './eventLog.js';
import { LIMITS } from './limits.js';

/** @returns the process that runs it, in words for a message; null: none. @param folder of the run, absolute. */
export async function runOwner(folder: string): Promise<string | null> {
  const owner = await lockOwner(runPaths(folder).lock);
  return owner && holderText(owner);
}

/** Process id of its trainer where this process runs; null: it has none here. @param folder of the run, absolute. */
export async function trainerPid(folder: string): Promise<number | null> {
  const owner = await lockOwner(runPaths(folder).lock);
  return owner && isHere(owner) ? owner.pid : null;
}

/** Requests to a trainer through its run's folder. */
export type Steering =
  Exclude<FileRequest, { type: 'setBudget' }> | { readonly type: 'setBudget'; readonly budget: Budget };

const VERBS: Readonly<Record<Steering['type'], string>> = {
  pause: 'pause',
  resume: 'resume',
  stop: 'stop',
  setBudget: 'take another budget',
};

/** One request at a time for each run: the next would overwrite one that the trainer has not read yet. */
const asking = new Map<string, Promise<void>>();

/**
 * Asks the trainer to pause, to continue, to write a checkpoint and end, or to take another budget, and resolves when it has.
 * @throws UserError('run-invalid') if no process runs it, or the process does not react; UserError('disk'); UserError('budget-impossible') with the
 * nearest possible budget.
 */
export async function steerRun(folder: string, steering: Steering): Promise<void> {
  const before = asking.get(folder) ?? Promise.resolve();
  const own = before.catch(() => undefined).then(() => ask(folder, steering));
  asking.set(folder, own);
  try {
    await own;
  } finally {
    if (asking.get(folder) === own) asking.delete(folder);
  }
}

async function ask(folder: string, steering: Steering): Promise<void> {
  const run = basename(folder);
  const paths = runPaths(folder);
  const owner = await lockOwner(paths.lock);
  if (!owner) throw new UserError('run-invalid', `${run} is not running; "Resume" continues it`);
  const refusal = (what: string) =>
    new UserError(
      'run-invalid',
      `${run} is run by ${holderText(owner)}, which ${what}; end it there, "Resume" then continues it here`,
    );
  const { type } = steering;
  const id = randomUUID();
  await putRequest(paths, type === 'setBudget' ? { ...steering, id } : steering);
  if (
    !(await within(LIMITS.noticeTime, async () => !(await isThere(paths.request)) || (await isGone(paths.lock, owner))))
  ) {
    await dropRequest(paths);
    throw refusal('does not answer');
  }
  const isDone = async () => {
    if (type === 'setBudget') return isAnswered(paths, id);
    if (await isGone(paths.lock, owner)) return true;
    if (type === 'stop') return false;
    const isPaused = (await lastEvents(folder)).state?.event === 'paused';
    return isPaused === (type === 'pause');
  };
  const hasEnded = async () => {
    if (type !== 'setBudget' || !(await isGone(paths.lock, owner)) || (await isAnswered(paths, id))) return false;
    throw new UserError('run-invalid', `${run} has ended before it took the budget`);
  };
  if (!(await within(LIMITS.effectTime, async () => (await isDone()) || hasEnded())))
    throw refusal(`was asked to ${VERBS[type]} and has not yet`);
}

/** @throws the UserError that the trainer answers with. */
async function isAnswered(paths: RunPaths, id: string): Promise<boolean> {
  const answer = await answerOf(paths, id);
  if (!answer) return false;
  await rm(paths.answer, { force: true });
  if (answer.error) throw new UserError(answer.error.code, answer.error.message);
  return true;
}

async function isGone(lock: string, holder: LockHolder): Promise<boolean> {
  const now = await lockOwner(lock);
  return now === null || !isSameHolder(now, holder);
}

async function within(milliseconds: number, check: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + milliseconds; performance.now() < end; await wait(LIMITS.steerInterval))
    if (await check()) return true;
  return false;
}
