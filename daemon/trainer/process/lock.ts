/**
 * One trainer per run folder. The lock identifies its holder by process id and start time, so that a reused id does not keep it. The holder touches
 * the file every few seconds: for a holder on another machine or in another container, that is the only sign of life.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { UserError } from '../../protocol/errors.js';
import { LIMITS } from '../limits.js';

/** The programs that run trainers. */
const Program = z.enum(['lc-prune', 'editor', 'assistant']);
export type Program = z.infer<typeof Program>;

const Holder = z.object({
  pid: z.int().positive(),
  started: z.string().nullable(),
  /** Absent in the locks of earlier versions: this machine. */
  host: z
    .string()
    .regex(/^\P{Cc}{1,255}$/u)
    .optional(),
  program: Program.nullable().optional(),
});
export type LockHolder = z.infer<typeof Holder>;

interface Process {
  /** Its start time, in the system's unit; null if the system does not report it. */
  readonly started: string | null;
}

/** A process of this machine; null if there is none of this id, or only a zombie. */
async function processOf(pid: number): Promise<Process | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  try {
    if (process.platform === 'linux') {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces and parentheses; the state is field 3, the start time field 22.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return 'ZX'.includes(fields[0]!) ? null : { started: fields[19] ?? null };
    }
    if (process.platform === 'win32') return { started: null };
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return { started: stdout.trim() || null };
  } catch {
    return { started: null };
  }
}

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
  if ((holder.host ?? hostname()) !== hostname()) return isFresh ? holder : null;
  // From before this machine was started: its ids and start times mean nothing any more.
  if (touched < Date.now() - uptime() * 1000 - LIMITS.silence) return null;
  const found = await processOf(holder.pid);
  if (!found) return null;
  if (holder.started === null || found.started === null) return isFresh ? holder : null;
  return holder.started === found.started ? holder : null;
}

/** Process id of the trainer that holds the lock; null if there is none (any more). */
export const lockHolder = async (file: string): Promise<number | null> => (await lockOwner(file))?.pid ?? null;

const WHERE: Readonly<Record<Program, string>> = {
  'lc-prune': 'lc-prune in a terminal',
  editor: 'an editor window',
  assistant: 'an assistant, by lc-prune mcp',
};

/** "process 4711 (lc-prune in a terminal)". */
export function holderText({ pid, host, program }: LockHolder): string {
  const where = program ? ` (${WHERE[program]})` : '';
  return `process ${pid}${where}${host !== undefined && host !== hostname() ? ` on ${host}` : ''}`;
}

const beside = (file: string, name: string): string => join(dirname(file), `.${basename(file)}.${name}`);

/** Creates the file with all of its text at once, so that no reader sees a part of it. @throws EEXIST if it exists. */
async function createWhole(file: string, text: string): Promise<void> {
  const whole = beside(file, randomBytes(6).toString('hex'));
  await writeFile(whole, text, { flag: 'wx' });
  try {
    await link(whole, file);
  } catch (error) {
    // Some file systems do not support links.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    await writeFile(file, text, { flag: 'wx' });
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
 * Takes the lock for this process.
 * @param program what runs this process; null: nothing that the user knows.
 * @returns the function that releases it. @throws UserError('run-invalid') while a living process holds it.
 */
export async function takeLock(file: string, program: Program | null = null): Promise<() => Promise<void>> {
  const started = (await processOf(process.pid))?.started ?? null;
  const mine = JSON.stringify({ pid: process.pid, started, host: hostname(), program } satisfies LockHolder);
  for (const end = performance.now() + LIMITS.takingTime; performance.now() < end;) {
    try {
      await createWhole(file, mine);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new UserError('disk', `${file} cannot be written: ${message}`, { file });
      const text = await textOf(file);
      if (text === null) continue;
      const holder = await livingHolder(file, text);
      if (holder !== null) {
        throw new UserError('run-invalid', `${file}: ${holderText(holder)} is working on this run; stop it first`, {
          file,
        });
      }
      await removeStale(file, text);
      continue;
    }
    const beating = setInterval(() => {
      const now = new Date();
      utimes(file, now, now).catch(() => undefined);
    }, LIMITS.heartbeat).unref();
    return async () => {
      clearInterval(beating);
      if ((await textOf(file)) === mine) await unlink(file).catch(() => undefined);
    };
  }
  throw new UserError('run-invalid', `${file}: another process is taking over this run`, { file });
}
