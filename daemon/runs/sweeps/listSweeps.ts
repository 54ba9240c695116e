/** The sweeps of a workspace, as lists show them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { resolveInside } from '../../files/workspacePath.js';
import { pointText } from '../../plan/sweep/points.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import type { SweepRecord, SweepSummary } from '../../protocol/runs/sweep.js';
import { lockOwner } from '../../trainer/process/lock.js';
import { runsFolder } from '../../trainer/process/runFolder.js';
import { readRecord, sweepFiles } from './sweepFolder.js';

/** Records that were read before, by file: a list is asked for whenever a run begins or ends. */
const known = new Map<string, { readonly stamp: string; readonly record: SweepRecord }>();

async function recordOf(folder: string): Promise<{ record: SweepRecord; started: number } | null> {
  const file = sweepFiles(folder).record;
  const found = await stat(file).catch(() => null);
  if (!found) return null;
  const stamp = `${found.ino} ${found.size} ${found.mtimeMs}`;
  const kept = known.get(file);
  // One that is damaged is no sweep that could be shown.
  const record = kept?.stamp === stamp ? kept.record : await readRecord(folder).catch(() => null);
  if (!record) return null;
  known.set(file, { stamp, record });
  const made = await stat(folder).catch(() => null);
  return { record, started: made?.birthtimeMs ?? found.mtimeMs };
}

/** @param workspace absolute. @returns newest first; sweeps that cannot be read are left out. @throws UserError('path-outside-workspace'). */
export async function listSweeps(workspace: string): Promise<SweepSummary[]> {
  const sweeps = await resolveInside(workspace, workspace, join('.lcprune', 'sweeps'));
  const runs = await runsFolder(workspace);
  const found: SweepSummary[] = [];
  // Names begin with the time.
  for (const name of (await readdir(sweeps).catch(() => [])).sort().reverse()) {
    const folder = join(sweeps, name);
    const read = await recordOf(folder);
    if (!read) continue;
    const { record, started } = read;
    found.push({
      sweep: folder as AbsolutePath,
      workspace: workspace as AbsolutePath,
      name: record.name,
      planPath: record.planPath,
      started,
      ...(record.runOn && { runOn: record.runOn }),
      isRunning: (await lockOwner(sweepFiles(folder).lock)) !== null,
      points: record.points.map(({ values, run, failed }) => ({
        values: pointText(values),
        run: run === null ? null : (join(runs, basename(run)) as AbsolutePath),
        ...(failed !== undefined && { failed }),
      })),
    });
  }
  return found;
}
