import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from './diskError.js';
import { ensureFolder } from './makeFolder.js';
import { missingFolder } from './workspacePath.js';

/**
 * Creates a file and the folders above it, whole or not at all. An existing file is never overwritten, even one that appears meanwhile.
 * @returns false if there is one. @throws UserError('disk').
 */
export async function writeNew(path: string, text: string): Promise<boolean> {
  const folder = await missingFolder(path);
  await ensureFolder(dirname(path));
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (folder) await rm(folder, { force: true, recursive: true }).catch(() => undefined);
    throw diskError(path, 'was not written', error);
  }
}
