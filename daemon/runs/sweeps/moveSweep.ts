/** A sweep that has ended before its time continues in another place. */
import { basename } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import type { Remote } from '../../protocol/runs/runOn.js';
import type { SweepRecord } from '../../protocol/runs/sweep.js';
import { takeLock } from '../../trainer/process/lock.js';
import { readJob } from '../runners/jobs.js';
import { readRecord, runsOfPoints, sweepFiles, writeRecord } from './sweepFolder.js';

/**
 * @param folder of the sweep, absolute. @param placed the place instead of the one that it had; undefined: this machine.
 * @returns its record from now on. @throws UserError('run-invalid') while a process executes it or a queue has a run of it; UserError('disk').
 */
export async function moveSweep(
  folder: string,
  workspace: string,
  placed: (before: Remote | undefined) => Remote | undefined,
): Promise<SweepRecord> {
  const release = await takeLock(sweepFiles(folder).lock, 'lc-prune');
  try {
    const { runOn: before, ...record } = await readRecord(folder);
    for (const run of await runsOfPoints(record, workspace))
      if (run !== null && (await readJob(run)))
        throw new UserError(
          'run-invalid',
          `${basename(folder)}: a queue has ${basename(run)}; end the sweep with lc-prune stop, then it can go on in another place`,
        );
    const runOn = placed(before);
    const moved = { ...record, ...(runOn && { runOn }) };
    await writeRecord(folder, moved);
    return moved;
  } finally {
    await release();
  }
}
