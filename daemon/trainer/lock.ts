/**
 * One trainer per run folder. The lock names its holder by process id and start time, so that a reused id does not keep it.
 * The holder touches the file every few seconds: where another machine or container holds it, that is the only sign of life.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { UserError } from '../protocol/errors.js';

/** The programs that run trainers. */
const Program = z.enum(['lc-prune', 'editor']);
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

const HEARTBEAT_MS = 5_000;
/** A holder whose process cannot be looked at is gone when it has been silent for this long. */
const SILENT_MS = 60_000;

interface Process {
  /** When it began, in whatever unit the system has; null where that cannot be told. */
  readonly started: string | null;
}

/** A process of this machine; null when there is none of this id, or only what a parent has not buried yet. */
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

/** Who holds the lock; null when nobody does (any more). */
export const lockOwner = async (file: string): Promise<LockHolder | null> => livingHolder(file, await textOf(file));

/** @param text what the lock was read to hold. */
async function livingHolder(file: string, text: string | null): Promise<LockHolder | null> {
  const holder = parseHolder(text);
  if (!holder) return null;
  const touched = (await stat(file).catch(() => null))?.mtimeMs;
  if (touched === undefined) return null;
  const isFresh = Date.now() - touched < SILENT_MS;
  if ((holder.host ?? hostname()) !== hostname()) return isFresh ? holder : null;
  // From before this machine was started: its ids and start times mean nothing any more.
  if (touched < Date.now() - uptime() * 1000 - SILENT_MS) return null;
  const found = await processOf(holder.pid);
  if (!found) return null;
  if (holder.started === null || found.started === null) return isFresh ? holder : null;
  return holder.started === found.started ? holder : null;
}

/** Process id of the trainer that holds the lock; null when nobody does (any more). */
export const lockHolder = async (file: string): Promise<number | null> => (await lockOwner(file))?.pid ?? null;

const WHERE: Readonly<Record<Program, string>> = {
  'lc-prune': 'lc-prune in a terminal',
  editor: 'an editor window',
};

/** "process 4711 (lc-prune in a terminal)". */
export function holderText({ pid, host, program }: LockHolder): string {
  const where = program ? ` (${WHERE[program]})` : '';
  return `process ${pid}${where}${host !== undefined && host !== hostname() ? ` on ${host}` : ''}`;
}

/**
 * Removes a lock whose holder is gone. Several processes may be about to: a rename gives the file to one of them, and who has got
 * another's new lock in place of the old one puts it back.
 */
async function removeStale(file: string, stale: string | null): Promise<void> {
  const taken = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  if (
    !(await rename(file, taken).then(
      () => true,
      () => false,
    ))
  )
    return;
  if ((await textOf(taken)) !== stale) await link(taken, file).catch(() => undefined);
  await unlink(taken).catch(() => undefined);
}

/**
 * Takes the lock for this process.
 * @param program what runs this process; null: nothing that the user knows.
 * @returns the function that gives it back. @throws UserError('run-invalid') while a living process holds it.
 */
export async function takeLock(file: string, program: Program | null = null): Promise<() => Promise<void>> {
  const started = (await processOf(process.pid))?.started ?? null;
  const mine = JSON.stringify({ pid: process.pid, started, host: hostname(), program } satisfies LockHolder);
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(file, mine, { flag: 'wx' });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new UserError('disk', `${file} cannot be written: ${message}`, { file });
      const text = await textOf(file);
      const holder = await livingHolder(file, text);
      if (holder !== null) {
        throw new UserError('run-invalid', `${file}: ${holderText(holder)} is working on this run; stop it first`, {
          file,
        });
      }
      await removeStale(file, text);
      continue;
    }
    // Another process may have moved ours away and not yet put it back.
    if ((await textOf(file)) === mine) {
      const beating = setInterval(() => {
        const now = new Date();
        utimes(file, now, now).catch(() => undefined);
      }, HEARTBEAT_MS).unref();
      return async () => {
        clearInterval(beating);
        if ((await textOf(file)) === mine) await unlink(file).catch(() => undefined);
      };
    }
  }
  throw new UserError('run-invalid', `${file}: another process is taking over this run`, { file });
}
