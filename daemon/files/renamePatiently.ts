/** Renames a file or a folder. On Windows a virus scanner or an indexer may hold one for a moment: the rename is then tried again. */
import { rename } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Errors of Windows for what another program holds. */
const HELD = ['EPERM', 'EACCES', 'EBUSY'];
/** Milliseconds before the tries after the first: 0.6 s together. */
const PAUSES = [20, 40, 80, 160, 320];

/** @throws the system's error, of the last try. @param system a stand-in for another system, in tests. */
export async function renamePatiently(
  from: string,
  to: string,
  system: { readonly platform: NodeJS.Platform; readonly rename: typeof rename } = {
    platform: process.platform,
    rename,
  },
): Promise<void> {
  const pauses = system.platform === 'win32' ? PAUSES : [];
  for (const pause of pauses) {
    try {
      return await system.rename(from, to);
    } catch (error) {
      if (!HELD.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await wait(pause);
    }
  }
  return system.rename(from, to);
}
