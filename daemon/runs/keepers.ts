/**
 * Who looks after a run of the editor. The daemon that started it, or has taken it over, holds a lock beside the folder of runs. It starts the
 * baselines that follow, and reports when the trainer is gone. A lock whose holder is gone marks a run that was left behind.
 */
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureFolder } from '../files/makeFolder.js';
import { UserError } from '../protocol/errors.js';
import type { StopReason } from '../trainer/process/ipc.js';
import { lockOwner, takeLock } from '../trainer/process/lock.js';
import { keptFolder, runPaths, runsFolder } from '../trainer/process/runFolder.js';
import { lastEvents } from './eventLog.js';
import { isRunName } from './list/registry.js';
import { LIMITS } from './limits.js';

/** The runs that this process looks after. */
export class Keepers {
  readonly #held = new Map<string, () => Promise<void>>();

  holds(folder: string): boolean {
    return this.#held.has(folder);
  }

  /**
   * @param folder of the run, absolute.
   * @throws UserError('run-invalid') if another process looks after it and does not release it; UserError('disk').
   */
  async take(folder: string): Promise<void> {
    if (this.#held.has(folder)) return;
    const { keeper } = runPaths(folder);
    await ensureFolder(dirname(keeper));
    for (const end = performance.now() + LIMITS.keeperTime; ; await wait(LIMITS.keeperInterval)) {
      try {
        this.#held.set(folder, await takeLock(keeper, 'editor'));
        return;
      } catch (error) {
        if (!(error instanceof UserError) || error.code !== 'run-invalid' || performance.now() > end) throw error;
      }
    }
  }

  /** Releases the run: nobody needs to look after it any more. */
  async release(folder: string): Promise<void> {
    const release = this.#held.get(folder);
    this.#held.delete(folder);
    await release?.();
  }

  /**
   * Takes over the runs of a workspace folder that other processes have left behind. A run that the command line has resumed belongs to the command
   * line.
   * @returns their folders, absolute.
   */
  async takeLeft(workspace: string): Promise<string[]> {
    const [kept, runs] = await Promise.all([keptFolder(workspace), runsFolder(workspace)]);
    const taken: string[] = [];
    for (const name of (await readdir(kept).catch(() => [])).filter(isRunName)) {
      const folder = join(runs, name);
      const { keeper } = runPaths(folder);
      if (this.#held.has(folder) || (await lockOwner(keeper)) !== null) continue;
      // Another daemon may be faster.
      const release = await takeLock(keeper, 'editor').catch(() => null);
      if (!release) continue;
      this.#held.set(folder, release);
      const isThere = (await lstat(folder).catch(() => null)) !== null;
      if (isThere && !(await isRunElsewhere(folder))) taken.push(folder);
      else await this.release(folder);
    }
    return taken;
  }
}

/** Whether a trainer that no editor started holds the run. @param folder of the run, absolute. */
export async function isRunElsewhere(folder: string): Promise<boolean> {
  const owner = await lockOwner(runPaths(folder).lock);
  return owner !== null && owner.program !== 'editor';
}

/** Whether the run ended before its time, against the user's will. @param folder of a run without a trainer. */
export async function isCutShort(folder: string): Promise<boolean> {
  const { state } = await lastEvents(folder);
  switch (state?.event) {
    case 'done':
    case 'paused':
      return false;
    case 'failed':
      return state.ending !== undefined;
    case 'stopped':
      return !state.paused && (['shutdown', 'disconnect'] satisfies StopReason[] as string[]).includes(state.reason);
    default:
      return true;
  }
}
