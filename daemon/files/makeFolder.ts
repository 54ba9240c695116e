import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from './diskError.js';
import { missingFolder } from './workspacePath.js';

/**
 * Makes a new folder in an existing one. If another has the name, a number is added: "run", "run-2", "run-3". Of several processes that ask at once,
 * each gets a folder of its own.
 * @returns its path. @throws UserError('disk').
 */
export async function makeFolder(parent: string, name: string): Promise<string> {
  for (let copy = 1; ; copy++) {
    const folder = join(parent, copy === 1 ? name : `${name}-${copy}`);
    const made = await mkdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw diskError(folder, 'cannot be made', error);
        return false;
      },
    );
    if (made) return folder;
  }
}

/** Makes a folder and those above it, where they do not exist. @throws UserError('disk'). */
export async function ensureFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch(async (error: unknown) => {
    // Node.js reports of a read-only file system that a folder above does not exist; without `recursive` it has the reason.
    const missing = (await missingFolder(join(folder, 'file'))) ?? folder;
    const cause = await mkdir(missing).then(
      () => error,
      (reason: unknown) => reason,
    );
    throw diskError(folder, 'cannot be made', cause);
  });
}
