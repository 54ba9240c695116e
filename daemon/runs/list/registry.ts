/** The runs of a workspace, read from their folders: `<workspace>/.lcprune/runs/<time>-<plan>/`. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { diskError } from '../../files/diskError.js';
import { renamePatiently } from '../../files/renamePatiently.js';
import { UserError } from '../../protocol/errors.js';
import type { RunEvent } from '../../protocol/events.js';
import type { RunSummary } from '../../protocol/messages.js';
import { lockOwner } from '../../trainer/process/lock.js';
import { readRunPlan, runName, runPaths, runsFolder } from '../../trainer/process/runFolder.js';
import { forgetLog, lastEvents, parseEvent, readLines } from '../eventLog.js';
import { readJob } from '../runners/jobs.js';
import { followersOf, followTo } from './followers.js';
import { readMarks } from './marks.js';
import { requireIdle } from './resumable.js';
import { brokenRun, summarizeRun } from './summary.js';
import { downsampleBatches } from '../downsampleBatches.js';

export { readRunPlan } from '../../trainer/process/runFolder.js';

/** A window of a run's log. */
export interface History {
  readonly events: RunEvent[];
  /** Index of the first event not in the window. */
  readonly next: number;
  /** Whether `next` is the current end of the log. */
  readonly end: boolean;
}

/** A folder that cannot be read is a failed run, with the reason; null: it is gone. @param folder absolute. */
export async function summaryOrReason(folder: string, supervised = false): Promise<RunSummary | null> {
  const created = (await lstat(folder).catch(() => null))?.birthtimeMs;
  if (created === undefined) return null;
  return runSummary(folder, supervised).catch(async (error: Error) =>
    (await lstat(folder).catch(() => null)) ? brokenRun(folder, created, error.message) : null,
  );
}

/**
 * @param supervised whether its supervisor is at work: when a trainer is gone, the run ends only after its supervisor has written how.
 * @throws UserError('run-missing'
 * 'run-invalid').
 */
export async function runSummary(folder: string, supervised = false): Promise<RunSummary> {
  const plan = await readRunPlan(folder);
  const { birthtimeMs } = await lstat(folder);
  // Read before the log: if the trainer ends in between, the log has its last event.
  const alive = supervised || (await lockOwner(runPaths(folder).lock)) !== null;
  const job = await readJob(folder);
  const summary = summarizeRun(folder, plan, await lastEvents(folder), alive, birthtimeMs, job);
  return { ...summary, ...(await besideLog(folder, summary)) };
}

/** Facts that are in neither plan nor log: the user's marks, and the size of the result. */
async function besideLog(folder: string, { state }: RunSummary): Promise<Pick<RunSummary, 'marks' | 'bytes'>> {
  const { package: sparse } = runPaths(folder);
  const noted = await readMarks(folder).catch(() => null);
  const size = state === 'done' ? (await lstat(sparse).catch(() => null))?.size : undefined;
  return { ...(noted && { marks: noted }), ...(size !== undefined && { bytes: size }) };
}

export const isRunName = (name: string): boolean => /^[^/\\\0]+$/.test(name) && !name.startsWith('.');

/** The names of all run folders. @param runs the folder that holds them. @throws UserError('disk'). */
export async function runNames(runs: string): Promise<string[]> {
  const entries = await readdir(runs, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw diskError(runs, 'cannot be read', error);
  });
  return entries.filter((entry) => entry.isDirectory() && isRunName(entry.name)).map(({ name }) => name);
}

const missing = (run: string, where: string): UserError =>
  new UserError('run-missing', `there is no run "${run.slice(0, 200)}" in ${where}; "lc-prune runs" lists them`);

/**
 * Absolute folder of a run given its name.
 * @throws UserError('run-missing') for names that are not a run of this workspace, links included.
 */
export async function runFolder(workspace: string, run: string): Promise<string> {
  const runs = await runsFolder(workspace);
  if (!isRunName(run)) throw missing(run, runs);
  const folder = join(runs, run);
  if (!(await lstat(folder).catch(() => null))?.isDirectory()) throw missing(run, runs);
  return folder;
}

/**
 * A run by its name in the workspace, or by the path of its folder (absolute, or relative to the current folder).
 * @returns the run's folder and the workspace it belongs to. @throws UserError('run-missing').
 */
export async function findRun(
  run: string,
  { workspace }: { workspace: string },
): Promise<{ folder: string; workspace: string }> {
  const named = isRunName(run) && !isAbsolute(run) ? await runFolder(workspace, run).catch(() => null) : null;
  if (named) return { folder: named, workspace };
  const path = resolve(run);
  const runs = dirname(path);
  if (basename(runs) !== 'runs' || basename(dirname(runs)) !== '.lcprune') throw missing(run, workspace);
  const own = dirname(dirname(runs));
  return { folder: await runFolder(own, basename(path)), workspace: own };
}

/**
 * Events [from, from + limit) of the log; at most `resolution` of its `batch` events, peaks and ends included.
 * @throws UserError('run-invalid') when the log cannot be read.
 */
export async function readEvents(folder: string, from: number, limit: number, resolution?: number): Promise<History> {
  const { lines, total } = await readLines(folder, from, limit);
  const events = lines.map(parseEvent).filter((event) => event !== null);
  const next = Math.min(Math.max(from, 0) + lines.length, Math.max(total, from));
  return {
    events: resolution === undefined ? events : downsampleBatches(events, resolution),
    next,
    end: next >= total,
  };
}

const onDisk = <T>(folder: string, action: Promise<T>): Promise<T> =>
  action.catch((error: Error) => {
    throw new UserError('disk', `${folder}: ${error.message}`, { file: folder });
  });

/** @throws UserError('run-missing'), UserError('run-invalid') while a trainer works on it, UserError('disk'). */
export async function deleteRun(workspace: string, run: string): Promise<void> {
  const folder = await runFolder(workspace, run);
  await requireIdle(folder);
  // Renamed first: it leaves the list at once, whole or not at all.
  const doomed = join(dirname(folder), `.deleted-${basename(folder)}-${process.pid}`);
  await onDisk(folder, renamePatiently(folder, doomed));
  forgetLog(folder);
  await onDisk(doomed, rm(doomed, { recursive: true, force: true }));
}

/**
 * Gives the run folder a new name after its time stamp; its baselines go on naming it.
 * @returns the run's new name. @throws UserError('run-missing' | 'run-invalid' | 'disk'); 'run-invalid' also while a trainer works on one
 *   of its baselines.
 */
export async function renameRun(workspace: string, run: string, name: string): Promise<string> {
  const folder = await runFolder(workspace, run);
  await requireIdle(folder);
  const stamp = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}/.exec(run)?.[0] ?? 'run';
  const renamed = runName(stamp, name);
  const target = join(dirname(folder), renamed);
  if (renamed === run) return run;
  if (await lstat(target).catch(() => null)) throw new UserError('run-invalid', `there is a run "${renamed}" already`);
  const followers = await followersOf(folder);
  // Its trainer has the plan, and may write it again.
  for (const follower of followers) await requireIdle(follower.folder);
  await onDisk(folder, renamePatiently(folder, target));
  forgetLog(folder);
  for (const follower of followers) await onDisk(follower.folder, followTo(follower, run, renamed));
  return renamed;
}
