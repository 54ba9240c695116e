/** Detects whether files that were read have changed. */
import { statSync } from 'node:fs';

/** Attributes that differ between a file and its replacement: a shard is often written again with the same size. */
function stampOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info ? `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}` : 'missing';
}

/** The stamp of each file by path; plain data, so that it can be passed from a worker thread. */
export type FileStamps = Map<string, string>;

/** Stamps a file as it is now: call it before reading. */
export const stampFile = (stamps: FileStamps, path: string): void => void stamps.set(path, stampOf(path));

export const areUnchanged = (stamps: FileStamps): boolean =>
  [...stamps].every(([path, stamp]) => stampOf(path) === stamp);
