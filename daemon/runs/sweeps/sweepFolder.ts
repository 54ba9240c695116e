/** The folder of a sweep: `<workspace>/.lcprune/sweeps/<time>-<name>/` with its record and its results. The runs lie among all others. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { makeFolder } from '../../files/makeFolder.js';
import { resolveInside } from '../../files/workspacePath.js';
import { UserError } from '../../protocol/errors.js';
import { SweepRecord } from '../../protocol/runs/sweep.js';
import { makeOwnFolder, readRunPlan, runName, runsFolder, timeStamp } from '../../trainer/process/runFolder.js';

/** @param folder of the sweep, absolute. */
export const sweepFiles = (folder: string) => ({
  record: join(folder, 'sweep.json'),
  lock: join(folder, 'lock'),
  markdown: join(folder, 'results.md'),
  csv: join(folder, 'results.csv'),
  /** Another process asks the one that executes it to end. */
  stop: join(folder, 'stop'),
});

/** @throws UserError('disk'). */
export async function writeRecord(folder: string, record: SweepRecord): Promise<void> {
  await writeFileAtomic(sweepFiles(folder).record, `${JSON.stringify(record, null, 2)}\n`);
}

/** @returns the absolute folder. @throws UserError('disk' | 'path-outside-workspace'). */
export async function createSweepFolder(workspace: string, record: SweepRecord, time: number): Promise<string> {
  const sweeps = await resolveInside(workspace, workspace, join('.lcprune', 'sweeps'));
  await makeOwnFolder(sweeps);
  const folder = await makeFolder(sweeps, runName(timeStamp(time), record.name));
  await writeRecord(folder, record);
  return folder;
}

/** @throws UserError('run-missing') if there is no record in the folder, UserError('run-invalid') for a broken one. */
export async function readRecord(folder: string): Promise<SweepRecord> {
  const { record: file } = sweepFiles(folder);
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UserError('run-missing', `${folder} is no folder of a sweep: sweep.json: ${error.message}`, {
      file: folder,
    });
  });
  try {
    return SweepRecord.parse(JSON.parse(text));
  } catch {
    throw new UserError('run-invalid', `${file} is damaged or of another version; start the sweep anew`, { file });
  }
}

/** The run folder of each point, absolute; null: it has none yet, or the user has deleted it. */
export async function runsOfPoints({ points }: SweepRecord, workspace: string): Promise<(string | null)[]> {
  const runs = await runsFolder(workspace);
  return Promise.all(
    points.map(async ({ run }) => {
      const folder = run === null ? null : join(runs, basename(run));
      return folder !== null && (await readRunPlan(folder).catch(() => null)) ? folder : null;
    }),
  );
}

/** Whether it is the folder of a sweep that has begun. */
export const isSweepFolder = (folder: string): Promise<boolean> =>
  stat(sweepFiles(folder).record).then(
    (found) => found.isFile(),
    () => false,
  );

/** The workspace folder of a sweep: `<workspace>/.lcprune/sweeps/<sweep>`. @param folder absolute. */
export const workspaceOfSweep = (folder: string): string => dirname(dirname(dirname(folder)));
