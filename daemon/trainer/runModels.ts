/** The models of a finished run: its result, a point of its path, and the reference it started from. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readResult } from '../export/exportModel.js';
import { readScaleFile } from '../export/scaleFile.js';
import type { InputScale } from '../model/setup/inputScale.js';
import type { Model } from '../model/model.js';
import { readModel } from '../model/files/readModel.js';
import { UserError } from '../protocol/errors.js';
import { readRunPlan, runPaths } from './process/runFolder.js';

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() ?? false;

/**
 * @param point of a path run, finished or not; undefined: the run's result.
 * @throws UserError('run-invalid') if there is none (yet).
 */
export async function readRunModel(folder: string, point?: number): Promise<Model> {
  if (point === undefined) return readResult(folder);
  const path = join(runPaths(folder).points, String(point), 'model.json');
  if (await isFile(path)) return readModel(path, { workspace: folder });
  const { path: onPath } = await readRunPlan(folder);
  throw new UserError(
    'run-invalid',
    onPath
      ? `${basename(folder)} has no point ${point} (yet); its report lists those it has`
      : `${basename(folder)} is no path and has no points; "lc-prune path PLAN" makes one`,
    { file: folder },
  );
}

/** How its inputs are scaled, if they are not taken as stored: for the model that `readRunModel` returns. */
export const readRunScales = (folder: string, point?: number): Promise<readonly InputScale[]> =>
  readScaleFile(
    join(point === undefined ? runPaths(folder).result : join(runPaths(folder).points, String(point)), 'model.json'),
  );

/** The run's reference; null if it no longer exists. @param workspace of the run. */
export async function readReference(folder: string, workspace: string): Promise<Model | null> {
  const trained = join(runPaths(folder).reference, 'model.json');
  if (await isFile(trained)) return readModel(trained, { workspace: folder });
  const { model } = await readRunPlan(folder);
  if (!('path' in model) || !(await isFile(join(workspace, model.path)))) return null;
  return readModel(join(workspace, model.path), { workspace });
}
