/** Executes the points of a sweep on a cluster: one job array, each point an ordinary run that its task works on. */
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolder } from '../../files/makeFolder.js';
import { UserError } from '../../protocol/errors.js';
import type { Remote } from '../../protocol/runs/runOn.js';
import type { SweepPoint, SweepRecord } from '../../protocol/runs/sweep.js';
import { takeLock } from '../../trainer/process/lock.js';
import { createRunFolder } from '../../trainer/process/runFolder.js';
import { lastEvents } from '../eventLog.js';
import { LIMITS } from '../limits.js';
import { LogTail } from '../logTail.js';
import { readJob } from '../runners/jobs.js';
import { refresh } from '../runners/refresh.js';
import { handOver } from '../runners/submitRun.js';
import type { SweepOptions } from './runSweep.js';
import { readRecord, runsOfPoints, sweepFiles, writeRecord } from './sweepFolder.js';

const isDone = async (folder: string): Promise<boolean> => (await lastEvents(folder)).state?.event === 'done';

/** The job of a task of an array. */
const arrayOf = (id: string): string => id.split('_')[0]!;

/**
 * Submits all points that are neither finished nor in the queue: those that need nothing as one array, those that begin with the reference of another
 * point as a second one that waits for the first.
 * @param folder of the sweep, absolute. @throws UserError that says what was refused.
 */
async function submitPoints(folder: string, remote: Remote, { workspace, plan }: SweepOptions): Promise<void> {
  const record = await readRecord(folder);
  const points: SweepPoint[] = record.points.map(({ failed: _, ...kept }) => kept);
  const folders = await runsOfPoints(record, workspace);
  const wanted: number[] = [];
  for (const [i, point] of points.entries()) {
    const made =
      folders[i] ?? (await createRunFolder(workspace, { ...(await plan(point)), runOn: remote }, Date.now()));
    folders[i] = made;
    points[i] = { ...point, run: basename(made) };
    if (!(await isDone(made)) && !(await readJob(made))) wanted.push(i);
  }
  await writeRecord(folder, { ...record, points });
  const first = wanted.filter((i) => points[i]!.sharesWith === undefined);
  const later = wanted.filter((i) => points[i]!.sharesWith !== undefined);
  for (const group of [first, later]) {
    if (group.length === 0) continue;
    const shared = group.map((i) => points[i]!.sharesWith).filter((i) => i !== undefined);
    const jobs = await Promise.all([...new Set(shared)].map((i) => readJob(folders[i]!)));
    const after = [...new Set(jobs.flatMap((job) => (job ? [arrayOf(job.id)] : [])))];
    const tasks = group.map((i) => {
      const { sharesWith } = points[i]!;
      return { folder: folders[i]!, ...(sharesWith !== undefined && { shares: points[sharesWith]!.run! }) };
    });
    const place = { workspace, folder: await makeFolder(folder, 'job'), name: record.name, after };
    await handOver(tasks, remote, { ...place, ...(record.parallel > 1 && { atOnce: record.parallel }) });
  }
}

/**
 * Submits what is to be done and follows it until all points have ended, or the caller leaves: the queue then goes on.
 * @param folder of the sweep, absolute.
 * @returns its record at the end. @throws UserError that says what was refused; UserError('run-invalid') while another process submits it.
 */
export async function runSweepElsewhere(folder: string, remote: Remote, options: SweepOptions): Promise<SweepRecord> {
  if (!('slurm' in remote))
    throw new UserError('run-invalid', 'a sweep is executed by "slurm" or "local"; give one of them to --on');
  const release = await takeLock(sweepFiles(folder).lock, 'lc-prune');
  try {
    await submitPoints(folder, remote, options);
    await followPoints(folder, options);
    return await noteFailures(folder, options.workspace);
  } finally {
    await release();
  }
}

async function followPoints(folder: string, { workspace, signal, onEvent, onEnd }: SweepOptions): Promise<void> {
  const folders = await runsOfPoints(await readRecord(folder), workspace);
  const open = new Map<number, { run: string; tail: LogTail }>();
  for (const [i, run] of folders.entries()) if (run !== null) open.set(i, { run, tail: await LogTail.open(run) });
  let asked = -Infinity;
  while (open.size > 0 && !signal.aborted) {
    if (performance.now() - asked >= LIMITS.sweepInterval) {
      await refresh([...open.values()].map(({ run }) => run)).catch(() => undefined);
      asked = performance.now();
    }
    for (const [i, { run, tail }] of open) {
      const job = await readJob(run);
      await tail.read((event) => onEvent?.(i, event));
      if (job) continue;
      open.delete(i);
      const { state } = await lastEvents(run);
      if (state?.event === 'done') onEvent?.(i, state);
      onEnd?.(i, state?.event === 'done' ? 'done' : state?.event === 'stopped' ? 'stopped' : 'failed');
    }
    await wait(LIMITS.followInterval, undefined, { signal }).catch(() => undefined);
  }
}

/** Why points failed, in the record, as a sweep here has it. */
async function noteFailures(folder: string, workspace: string): Promise<SweepRecord> {
  const record = await readRecord(folder);
  const folders = await runsOfPoints(record, workspace);
  const points = await Promise.all(
    record.points.map(async (point, i) => {
      const { state } = folders[i] ? await lastEvents(folders[i]) : { state: null };
      const isOver = folders[i] && !(await readJob(folders[i]));
      return isOver && state?.event === 'failed' ? { ...point, failed: state.message } : point;
    }),
  );
  const noted = { ...record, points };
  await writeRecord(folder, noted);
  return noted;
}
