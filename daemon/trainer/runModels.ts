/** The models of a finished run: its result, a point of its path, and the reference it started from. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findModelIn } from '../model/files/modelInFolder.js';
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
  const path = await findModelIn(join(runPaths(folder).points, String(point)));
  if (path !== null) return readModel(path, { workspace: folder });
  const { path: onPath } = await readRunPlan(folder);
  throw new UserError(
    'run-invalid',
    onPath
      ? `${basename(folder)} has no point ${point} (yet); its report lists those it has`
      : `${basename(folder)} is no path and has no points; "lc-prune path PLAN" makes one`,
    { file: folder },
  );
}

/** How its inputs are scaled, where they are not taken as stored: of the model that `readRunModel` gives. */
export async function readRunScales(folder: string, point?: number): Promise<readonly InputScale[]> {
  const { result, points } = runPaths(folder);
  const path = await findModelIn(point === undefined ? result : join(points, String(point)));
  return path === null ? [] : readScaleFile(path);
}

/** The run's reference; null if it no longer exists. @param workspace of the run. */
export async function readReference(folder: string, workspace: string): Promise<Model | null> {
  const trained = await findModelIn(runPaths(folder).reference);
  if (trained !== null) return readModel(trained, { workspace: folder });
  const { model } = await readRunPlan(folder);
  if (!('path' in model) || !(await isFile(join(workspace, model.path)))) return null;
  return readModel(join(workspace, model.path), { workspace });
}
