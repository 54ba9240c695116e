import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGED } from '../host/stage.mjs';

/** Process id of the only daemon of the staged extension. */
export async function daemonPid(): Promise<number> {
  const own: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const parts = command.split('\0');
    // Another checkout may be under test beside this one; jobs of the daemon are its children, on the same file.
    if (parts.includes(join(STAGED, 'dist/daemon.mjs')) && !parts.includes('--job')) own.push(Number(entry));
  }
  if (own.length !== 1) throw new Error(`Expected one daemon, found ${own.length}.`);
  return own[0]!;
}
