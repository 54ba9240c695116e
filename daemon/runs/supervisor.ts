/** Starts, controls and watches trainers: one child process per active run. */
import { readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundlePath } from '../files/bundlePath.js';
import { UserError } from '../protocol/errors.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { Program } from '../trainer/process/lock.js';
import { createRunFolder, keptFolder, readRunPlan, runsFolder } from '../trainer/process/runFolder.js';
import { lastEvents } from './eventLog.js';
import { findNextEngine } from './nextEngine.js';
import { findRun } from './list/registry.js';
import { requireResumable, requireUnfinished } from './list/resumable.js';
import { type RunHandle, type Start, superviseTrainer } from './superviseTrainer.js';
import { trainerProcess, warmTrainerProcess } from './trainerProcess.js';

export { type RunHandle } from './superviseTrainer.js';

export type { StopReason } from '../trainer/process/ipc.js';
export type { Program } from '../trainer/process/lock.js';

export interface RunOptions {
  /** Absolute path of the workspace folder; the run folder is created under `<workspace>/.lcprune/runs`. */
  readonly workspace: string;
  /** Path of the trainer's bundle. Default: `trainer.mjs` of this package's dist folder. */
  readonly trainer?: string;
  /** The program that starts it, as shown to others. Default: `lc-prune`. */
  readonly program?: Program;
  /** Whether the trainer continues when this process is gone, for whatever reason. Default: it writes a checkpoint and ends. */
  readonly outlives?: boolean;
  /** Called with the run's folder before its trainer starts; returns a function that is called if the trainer then does not start. */
  readonly hold?: (folder: string) => Promise<() => Promise<void>>;
  /** Threads of its engine at most. Default: one per core. */
  readonly threads?: number;
  /** Lines the trainer's native libraries print. Default: kept for the crash message only. */
  readonly onOutput?: (line: string) => void;
}

export function trainerPath(): string {
  const found = bundlePath('trainer');
  if (!found)
    throw new UserError(
      'engine-unavailable',
      'the trainer is missing from this installation (dist/trainer.mjs); reinstall, or run "npm run build"',
    );
  return found;
}

/** Starts a trainer's process for a run that is about to be started. It ends by itself where none is. */
export const warmTrainer = (program: Program): void => warmTrainerProcess(trainerPath(), program);

/**
 * Creates a run folder and starts a trainer on it. Resolves when model, data and engine are loaded and training begins.
 * @throws UserError for errors of plan, model, data or engine, or UserError('disk'); nothing is left on disk then.
 */
export async function startRun(plan: ResolvedPlan, options: RunOptions): Promise<RunHandle> {
  const trainer = options.trainer ?? trainerPath();
  const folder = await createRunFolder(options.workspace, plan, Date.now());
  try {
    return await launch(folder, { resume: false, engine: null, planned: plan.engine }, { ...options, trainer });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    await removeIfEmpty(await runsFolder(options.workspace));
    throw error;
  }
}

/** A workspace without runs has no `.lcprune`. */
async function removeIfEmpty(runs: string): Promise<void> {
  const emptied = await rmdir(runs).then(
    () => true,
    () => false,
  );
  if (!emptied) return;
  const own = dirname(runs);
  await rmdir(await keptFolder(dirname(own))).catch(() => undefined);
  if ((await readdir(own)).some((name) => name !== '.gitignore')) return;
  await rm(join(own, '.gitignore'), { force: true });
  await rmdir(own).catch(() => undefined);
}

/** @property engine id of the engine to continue with. Default: its own. A change is logged and part of the run's record. */
export interface ResumeOptions extends RunOptions {
  readonly engine?: string;
}

/**
 * Continues a stopped, interrupted, crashed or failed run, or a paused one whose trainer is gone, from its last good checkpoint. Resolves when
 * training continues.
 * @param run the run's folder (absolute), or its name.
 * @throws UserError('run-missing'), UserError('run-invalid') if it is finished or another trainer works on it; UserError('engine-unavailable') for an
 * engine that is unknown or not available: the run is then unchanged.
 */
export async function resumeRun(run: string, options: ResumeOptions): Promise<RunHandle> {
  const { folder } = await findRun(run, options);
  const plan = await readRunPlan(folder);
  await requireResumable(folder);
  const engine = options.engine ?? null;
  const start = { resume: true, engine, planned: plan.engine };
  return launch(folder, start, { ...options, trainer: options.trainer ?? trainerPath() });
}

/**
 * Works on a run whose folder another process has made: from its beginning, or from its last checkpoint. Jobs of clusters do.
 * @param folder absolute. @throws UserError as `startRun` and `resumeRun`; the folder stays.
 */
export async function takeUpRun(folder: string, options: ResumeOptions): Promise<RunHandle> {
  const plan = await readRunPlan(folder);
  const resume = (await lastEvents(folder)).start !== null;
  const start = { resume, engine: options.engine ?? null, planned: plan.engine };
  return launch(folder, start, { ...options, trainer: options.trainer ?? trainerPath() });
}

async function launch(folder: string, start: Start, options: RunOptions & { trainer: string }): Promise<RunHandle> {
  const letGo = await options.hold?.(folder);
  try {
    // The former holder may have continued the run, to its end.
    if (start.resume) await requireUnfinished(folder);
    return await launchHeld(folder, start, options);
  } catch (error) {
    await letGo?.();
    throw error;
  }
}

async function launchHeld(folder: string, start: Start, options: RunOptions & { trainer: string }): Promise<RunHandle> {
  const workspace = await realpath(options.workspace);
  const program = options.program ?? 'lc-prune';
  const child = trainerProcess(options.trainer, program, options.threads);
  const handle = superviseTrainer(child, folder, start, {
    onOutput: options.onOutput,
    next: (after) => findNextEngine(folder, workspace, { after, trainer: options.trainer }),
  });
  try {
    const { resume, engine } = start;
    const { outlives = false } = options;
    await handle.request({ type: 'start', folder, workspace, resume, engine, program, outlives });
    handle.begin();
  } catch (error) {
    handle.end();
    await handle.done;
    throw error;
  }
  return handle;
}
