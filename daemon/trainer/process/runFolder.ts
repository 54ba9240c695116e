/** The files of a run folder. `<workspace>/.lcprune/runs/<time>-<plan>/`, safe to delete, ignored by git. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { ensureFolder, makeFolder } from '../../files/makeFolder.js';
import { resolveInside } from '../../files/workspacePath.js';
import { UserError } from '../../protocol/errors.js';
import { ResolvedPlan } from '../../protocol/resolvedPlan.js';

export interface RunPaths {
  readonly folder: string;
  readonly plan: string;
  readonly events: string;
  readonly lock: string;
  /** Requests of processes other than the trainer's supervisor. */
  readonly request: string;
  /** The trainer's answer to it. */
  readonly answer: string;
  /** Outside the folder: the lock of the daemon that looks after the run. */
  readonly keeper: string;
  readonly checkpoints: string;
  /** The reference, if the run trained it: a TensorFlow.js model. */
  readonly reference: string;
  /** Of a path run: a folder for each point, with its model, and `states` while it runs. */
  readonly points: string;
  /** The pruned model, its report and figures. */
  readonly result: string;
  /** Measurements of the result when the run ended: of its files, and compared with the reference. */
  readonly exports: string;
  readonly changed: string;
  /** The sparse package in it. */
  readonly package: string;
  /** Star, tags and note, if there are any. */
  readonly marks: string;
}

/** Beside the folder of runs: a lock for each run that an editor's daemon looks after. */
const KEPT = 'kept';
const CHANGED = 'changed.json';

/** What pruning changed at a point of a path; undefined: the run's result. */
export const changedFile = (folder: string, point?: number): string =>
  point === undefined ? runPaths(folder).changed : join(runPaths(folder).points, String(point), CHANGED);

/** The pruned model in one small file, beside the model.json of a result. */
export const RESULT_PACKAGE = 'model.lcp';

/** @param folder absolute path of the run folder. */
export const runPaths = (folder: string): RunPaths => ({
  folder,
  plan: join(folder, 'plan.json'),
  events: join(folder, 'events.jsonl'),
  lock: join(folder, 'lock'),
  request: join(folder, 'request.json'),
  answer: join(folder, 'answer.json'),
  keeper: join(folder, '..', '..', KEPT, basename(folder)),
  checkpoints: join(folder, 'checkpoints'),
  reference: join(folder, 'reference'),
  points: join(folder, 'points'),
  result: join(folder, 'result'),
  exports: join(folder, 'result', 'exports.json'),
  changed: join(folder, 'result', CHANGED),
  package: join(folder, 'result', RESULT_PACKAGE),
  marks: join(folder, 'marks.json'),
});

/** Folder of all runs of a workspace (absolute, symbolic links resolved). @throws UserError('path-outside-workspace'). */
export const runsFolder = (workspace: string): Promise<string> =>
  resolveInside(workspace, workspace, join('.lcprune', 'runs'));

/** Folder of the keepers' locks. @throws UserError('path-outside-workspace'). */
export const keptFolder = (workspace: string): Promise<string> =>
  resolveInside(workspace, workspace, join('.lcprune', KEPT));

const slug = (name: string): string =>
  name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 80)
    // Windows drops a dot at the end of a name.
    .replace(/[-.]+$/, '') || 'run';

/** `2026-11-22T22-27-45`: sorts by time and is a valid file name on every system. */
export const timeStamp = (time: number): string => new Date(time).toISOString().slice(0, 19).replaceAll(':', '-');

/** The name of a run folder. */
export const runName = (stamp: string, name: string): string => `${stamp}-${slug(name)}`;

/** Makes a folder of `.lcprune`, which git ignores. @param folder absolute. @throws UserError('disk'). */
export async function makeOwnFolder(folder: string): Promise<void> {
  await ensureFolder(folder);
  const ignore = join(folder, '..', '.gitignore');
  if (!(await stat(ignore).catch(() => null))) await writeFileAtomic(ignore, '*\n');
}

/**
 * Makes a new run folder with its plan.
 * @returns the absolute folder. @throws UserError('disk') when it cannot be written.
 */
export async function createRunFolder(workspace: string, plan: ResolvedPlan, time: number): Promise<string> {
  const runs = await runsFolder(workspace);
  await makeOwnFolder(runs);
  const folder = await makeFolder(runs, runName(timeStamp(time), plan.name));
  await writeFileAtomic(runPaths(folder).plan, `${JSON.stringify(plan, null, 2)}\n`);
  return folder;
}

/** @throws UserError('run-missing') without a plan in the folder, UserError('run-invalid') for a broken one. */
export async function readRunPlan(folder: string): Promise<ResolvedPlan> {
  const file = runPaths(folder).plan;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError('run-missing', `${folder} is no run folder: plan.json: ${(error as Error).message}`, {
      file: folder,
    });
  }
  try {
    return ResolvedPlan.parse(JSON.parse(text));
  } catch {
    throw new UserError('run-invalid', `${file} is damaged or of another version; start the plan anew`, { file });
  }
}
