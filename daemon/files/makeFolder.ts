import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a new folder in an existing one. If another has the name, a number is added: "run", "run-2", "run-3". Of several processes that ask at once,
 * each gets a folder of its own.
 * @returns its path. @throws the system's error if it cannot be made.
 */
export async function makeFolder(parent: string, name: string): Promise<string> {
  for (let copy = 1; ; copy++) {
    const folder = join(parent, copy === 1 ? name : `${name}-${copy}`);
    const made = await mkdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    if (made) return folder;
  }
}
