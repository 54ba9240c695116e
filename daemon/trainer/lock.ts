/** One trainer per run folder. The lock names its holder by process id and start time, so that a reused id does not keep it. */
import { execFile } from 'node:child_process';
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { UserError } from '../protocol/errors.js';

const Holder = z.object({ pid: z.int().positive(), started: z.string().nullable() });
type Holder = z.infer<typeof Holder>;

/** When a process began, in whatever unit the system has; null where it cannot be told (or there is no such process). */
async function startTime(pid: number): Promise<string | null> {
  try {
    if (process.platform === 'linux') {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces and parentheses; the start time is field 22.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
    }
    if (process.platform === 'win32') return null;
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readHolder(file: string): Promise<Holder | null> {
  try {
    return Holder.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Process id of the trainer that holds the lock; null when nobody does (any more). */
export async function lockHolder(file: string): Promise<number | null> {
  const holder = await readHolder(file);
  if (!holder || !exists(holder.pid)) return null;
  const started = await startTime(holder.pid);
  return holder.started === null || started === null || started === holder.started ? holder.pid : null;
}

/**
 * Takes the lock for this process.
 * @returns the function that gives it back. @throws UserError('run-invalid') while a living process holds it.
 */
export async function takeLock(file: string): Promise<() => Promise<void>> {
  const mine = JSON.stringify({ pid: process.pid, started: await startTime(process.pid) });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(file, mine, { flag: 'wx' });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new UserError('disk', `${file} cannot be written: ${message}`, { file });
      const holder = await lockHolder(file);
      if (holder !== null) {
        throw new UserError('run-invalid', `${file}: process ${holder} is working on this run; stop it first`, {
          file,
        });
      }
      await unlink(file).catch(() => undefined);
      continue;
    }
    // Another process may have taken ours for the stale one it had just read about.
    if ((await readFile(file, 'utf8').catch(() => '')) === mine) {
      return async () => {
        if ((await readFile(file, 'utf8').catch(() => '')) === mine) await unlink(file).catch(() => undefined);
      };
    }
  }
  throw new UserError('run-invalid', `${file}: another process is taking over this run`, { file });
}
