/** What a run folder holds, and where. `<workspace>/.lcprune/runs/<time>-<plan>/`, safe to delete, ignored by git. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../model/atomicWrite.js';
import { resolveInside } from '../model/workspacePath.js';
import { UserError } from '../protocol/errors.js';
import { ResolvedPlan } from '../protocol/resolvedPlan.js';

export interface RunPaths {
  readonly folder: string;
  readonly plan: string;
  readonly events: string;
  readonly lock: string;
  /** What another process than the trainer's supervisor asks of it. */
  readonly request: string;
  readonly checkpoints: string;
  /** The reference, where the run trained it: a TensorFlow.js model. */
  readonly reference: string;
  /** Of a path run: a folder for each point, with its model, and `states` while it runs. */
  readonly points: string;
  /** The pruned model, its report and figures. */
  readonly result: string;
  /** The sparse package in it. */
  readonly package: string;
  /** Star, tags and note, where there are any. */
  readonly marks: string;
}

/** The pruned model in one small file, beside the model.json of a result. */
export const RESULT_PACKAGE = 'model.lcp';

/** @param folder absolute path of the run folder. */
export const runPaths = (folder: string): RunPaths => ({
  folder,
  plan: join(folder, 'plan.json'),
  events: join(folder, 'events.jsonl'),
  lock: join(folder, 'lock'),
  request: join(folder, 'request.json'),
  checkpoints: join(folder, 'checkpoints'),
  reference: join(folder, 'reference'),
  points: join(folder, 'points'),
  result: join(folder, 'result'),
  package: join(folder, 'result', RESULT_PACKAGE),
  marks: join(folder, 'marks.json'),
});

/** Folder of all runs of a workspace (absolute, symbolic links resolved). @throws UserError('path-outside-workspace'). */
export const runsFolder = (workspace: string): Promise<string> =>
  resolveInside(workspace, workspace, join('.lcprune', 'runs'));

const slug = (name: string): string =>
  name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80) || 'run';

/** `2026-11-22T22-27-45`: sorts by time and is a file name everywhere. */
export const timeStamp = (time: number): string => new Date(time).toISOString().slice(0, 19).replaceAll(':', '-');

/** The name of a run folder. */
export const runName = (stamp: string, name: string): string => `${stamp}-${slug(name)}`;

/**
 * Makes a new run folder with its plan.
 * @returns the absolute folder. @throws UserError('disk') when it cannot be written.
 */
export async function createRunFolder(workspace: string, plan: ResolvedPlan, time: number): Promise<string> {
  const runs = await runsFolder(workspace);
  try {
    await mkdir(runs, { recursive: true });
    const ignore = join(runs, '..', '.gitignore');
    if (!(await stat(ignore).catch(() => null))) await writeFileAtomic(ignore, '*\n');
    const name = runName(timeStamp(time), plan.name);
    for (let copy = 1; ; copy++) {
      const folder = join(runs, copy === 1 ? name : `${name}-${copy}`);
      const made = await mkdir(folder).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
          return false;
        },
      );
      if (!made) continue;
      await writeFileAtomic(runPaths(folder).plan, `${JSON.stringify(plan, null, 2)}\n`);
      return folder;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('disk', `${runs}: the run folder cannot be made: ${(error as Error).message}`, { file: runs });
  }
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
