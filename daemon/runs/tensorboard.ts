/** A run's log as an event file for TensorBoard. */
import { basename, join } from 'node:path';
import { ensureFolder } from '../files/makeFolder.js';
import { fileVersion, scalarEvent } from '../export/tensorboard/eventFile.js';
import { runScalars } from '../export/tensorboard/runScalars.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import { UserError } from '../protocol/errors.js';
import { runPaths } from '../trainer/process/runFolder.js';
import { parseEvent, scanLines } from './eventLog.js';

export interface TensorboardFile {
  /** Folder of TensorBoard's run: it has our run's name. */
  readonly folder: string;
  readonly file: string;
  /** Number of events with scalars. */
  readonly events: number;
}

/**
 * Writes `<logdir>/<run>/events.out.tfevents...`, whole. An existing file is replaced: TensorBoard then reloads a run that continues. @param folder
 * of the run, absolute.
 * @throws UserError('run-invalid') if the log has no scalars yet; UserError('disk').
 */
export async function writeTensorboard(folder: string, logdir: string): Promise<TensorboardFile> {
  const scalarsOf = runScalars();
  const records: Buffer[] = [];
  let first: number | null = null;
  await scanLines(runPaths(folder).events, 0, (line) => {
    const event = parseEvent(line);
    if (!event) return;
    first ??= event.time;
    const scalars = scalarsOf(event);
    if (scalars) records.push(scalarEvent(scalars));
  });
  const run = basename(folder);
  if (first === null || records.length === 0)
    throw new UserError('run-invalid', `${run} has nothing to show yet: it has not trained`, { file: folder });
  const target = join(logdir, run);
  await ensureFolder(target);
  const seconds = String(Math.floor(first / 1000)).padStart(10, '0');
  const file = join(target, `events.out.tfevents.${seconds}.lc-prune`);
  await writeFileAtomic(file, [fileVersion(first), ...records]);
  return { folder: target, file, events: records.length };
}
