/**
 * One trainer per run folder. The lock identifies its holder by process id and start time, so that a reused id does not keep it. The holder touches
 * the file every few seconds: for a holder on another machine or in another container, that is the only sign of life.
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { diskError } from '../../files/diskError.js';
import { UserError } from '../../protocol/errors.js';
import { LIMITS } from '../limits.js';
import { here, isHere, Place, placeText, processOf, startOfMachine } from './place.js';

/** The programs that run trainers. */
const Program = z.enum(['lc-prune', 'editor', 'assistant']);
export type Program = z.infer<typeof Program>;

/** In the locks of earlier versions, the place is absent: this one. */
const Holder = Place.extend({
  pid: z.int().positive(),
  started: z.string().nullable(),
  program: Program.nullable().optional(),
});
export type LockHolder = z.infer<typeof Holder>;

function parseHolder(text: string | null): LockHolder | null {
  try {
    return Holder.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}

const textOf = (file: string): Promise<string | null> => readFile(file, 'utf8').catch(() => null);

/** The holder of the lock; null if there is none (any more). */
export const lockOwner = async (file: string): Promise<LockHolder | null> => livingHolder(file, await textOf(file));

/** @param text the content read from the lock. */
async function livingHolder(file: string, text: string | null): Promise<LockHolder | null> {
  const holder = parseHolder(text);
  if (!holder) return null;
  const touched = (await stat(file).catch(() => null))?.mtimeMs;
  if (touched === undefined) return null;
  const isFresh = Date.now() - touched < LIMITS.silence;
  if (!isHere(holder)) return isFresh ? holder : null;
  // From before this machine was started: its ids and start times mean nothing any more.
  if (touched < startOfMachine() - LIMITS.silence) return null;
  const found = await processOf(holder.pid);
  if (!found) return null;
  if (holder.started === null || found.started === null) return isFresh ? holder : null;
  return holder.started === found.started ? holder : null;
}

/** Whether two readings of a lock name the same process. */
export const isSameHolder = (a: LockHolder, b: LockHolder): boolean =>
  (['pid', 'started', 'host', 'boot', 'ids'] as const).every((field) => a[field] === b[field]);

/** Process id of the trainer that holds the lock; null if there is none (any more). */
export const lockHolder = async (file: string): Promise<number | null> => (await lockOwner(file))?.pid ?? null;

const WHERE: Readonly<Record<Program, string>> = {
  'lc-prune': 'lc-prune in a terminal',
  editor: 'an editor window',
  assistant: 'an assistant, by lc-prune mcp',
};

/** "process 4711 (lc-prune in a terminal) on n7". */
export function holderText(holder: LockHolder): string {
  const where = holder.program ? ` (${WHERE[holder.program]})` : '';
  return `process ${holder.pid}${where}${placeText(holder)}`;
}

const beside = (file: string, name: string): string => join(dirname(file), `.${basename(file)}.${name}`);

/** A part of a text on a full disk would lock the run for good. @throws EEXIST if it exists. */
async function writeWhole(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(text);
  } catch (error) {
    await unlink(file).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Creates the file with all of its text at once, so that no reader sees a part of it. @throws EEXIST if it exists. */
async function createWhole(file: string, text: string): Promise<void> {
  const whole = beside(file, randomBytes(6).toString('hex'));
  try {
    await writeFile(whole, text, { flag: 'wx' });
    await link(whole, file).catch(async (error: NodeJS.ErrnoException) => {
      // Some file systems do not support links.
      if (error.code === 'EEXIST') throw error;
      await writeWhole(file, text);
    });
  } finally {
    await unlink(whole).catch(() => undefined);
  }
}

/**
 * Removes a lock whose holder is gone, if it is still the same one. Several processes may try, and one may have replaced it meanwhile: only the
 * process with the claim to exactly this text removes it.
 */
async function removeStale(file: string, stale: string): Promise<void> {
  const claim = beside(file, createHash('sha256').update(stale).digest('hex').slice(0, 16));
  try {
    await writeFile(claim, '', { flag: 'wx' });
  } catch {
    const made = (await stat(claim).catch(() => null))?.mtimeMs ?? Date.now();
    // Who claimed it is gone too.
    if (Date.now() - made > LIMITS.claimTime) await unlink(claim).catch(() => undefined);
    await wait(LIMITS.claimInterval);
    return;
  }
  try {
    if ((await textOf(file)) === stale) await unlink(file).catch(() => undefined);
  } finally {
    await unlink(claim).catch(() => undefined);
  }
}

/**
 * Whether nothing touches the lock of a holder elsewhere while this process looks. Clocks of machines differ, and a shared folder may report a time
 * late: an old time alone is no proof.
 */
async function isSilent(file: string, stale: string): Promise<boolean> {
  const before = (await stat(file).catch(() => null))?.mtimeMs;
  for (const end = performance.now() + LIMITS.watchTime; performance.now() < end; await wait(LIMITS.watchInterval)) {
    // Others may have taken it over meanwhile.
    if ((await textOf(file)) !== stale) return true;
    if ((await stat(file).catch(() => null))?.mtimeMs !== before) return false;
  }
  return true;
}

export interface LockEvents {
  /** The lock of a holder elsewhere that gives no sign of life has become this process's. */
  takenOver?(from: LockHolder): void;
  /** The lock is another's now, after this process could not touch it for long: it must not work on the run any more. */
  lost?(): void;
}

/** A sign of life. The first byte is written again: the time is then the file server's, not that of this machine's clock. */
async function touch(file: string, mine: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.write(mine.slice(0, 1), 0);
  } finally {
    await handle.close();
  }
}

/**
 * Takes the lock for this process.
 * @param program what runs this process; null: nothing that the user knows.
 * @returns the function that releases it. @throws UserError('run-invalid') while a living process holds it; UserError('disk').
 */
export async function takeLock(
  file: string,
  program: Program | null = null,
  events: LockEvents = {},
): Promise<() => Promise<void>> {
  const started = (await processOf(process.pid))?.started ?? null;
  const mine = JSON.stringify({ pid: process.pid, started, ...here(), program } satisfies LockHolder);
  const refusal = (holder: LockHolder) =>
    new UserError('run-invalid', `${file}: ${holderText(holder)} is working on this run; stop it first`, {
      file,
    });
  let from: LockHolder | null = null;
  for (let end = performance.now() + LIMITS.takingTime; performance.now() < end;) {
    try {
      await createWhole(file, mine);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(file, 'cannot be written', error);
      const text = await textOf(file);
      if (text === null) continue;
      const holder = await livingHolder(file, text);
      if (holder !== null) throw refusal(holder);
      const left = parseHolder(text);
      if (left && !isHere(left)) {
        if (!(await isSilent(file, text))) throw refusal(left);
        from = left;
        end = performance.now() + LIMITS.takingTime;
      }
      await removeStale(file, text);
      continue;
    }
    if (from) events.takenOver?.(from);
    let last = Promise.resolve();
    const beating = setInterval(() => {
      last = beat(file, mine).then(
        (isMine) => {
          if (isMine) return;
          clearInterval(beating);
          events.lost?.();
        },
        // A share that is away for a moment; the next beat tries again.
        () => undefined,
      );
    }, LIMITS.heartbeat).unref();
    return async () => {
      clearInterval(beating);
      // It would make the file again.
      await last;
      if ((await textOf(file)) === mine) await unlink(file).catch(() => undefined);
    };
  }
  throw new UserError('run-invalid', `${file}: another process is taking over this run`, { file });
}

/** Gives a sign of life. @returns false if the lock is another's. @throws if the file cannot be reached. */
async function beat(file: string, mine: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (text === mine) await touch(file, mine);
  // Somebody has removed it by hand: nobody else holds the run as long as the lock can be made again.
  else if (text === null) await createWhole(file, mine);
  else return false;
  return true;
}
