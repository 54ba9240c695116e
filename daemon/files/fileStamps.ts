/** Whether files that were read are still the same ones. */
import { statSync } from 'node:fs';

/** What differs between a file and its replacement: a shard is often written again with the same size. */
function stampOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info ? `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}` : 'missing';
}

/** By path, what each file was; plain, so that it passes from a worker thread. */
export type FileStamps = Map<string, string>;

/** Notes a file, as it is now: call it before reading. */
export const stampFile = (stamps: FileStamps, path: string): void => void stamps.set(path, stampOf(path));

export const areUnchanged = (stamps: FileStamps): boolean =>
  [...stamps].every(([path, stamp]) => stampOf(path) === stamp);
