import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '../files/makeFolder.js';
import { readSparsePackage } from '../export/sparse/readSparsePackage.js';
import { writeScaleFile } from '../export/scaleFile.js';
import { writeSparsePackage } from '../export/sparse/sparsePackage.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import type { InputScale } from '../model/setup/inputScale.js';
import type { Model } from '../model/model.js';
import { withWeights } from '../model/weights.js';
import { modelPathIn } from '../model/files/modelInFolder.js';
import { writeTfjsModel } from '../model/files/writeTfjs.js';
import { writeGraph } from '../model/graph/writeGraph.js';
import type { RunEvent } from '../protocol/events.js';
import { RESULT_PACKAGE } from './process/runFolder.js';

/** Writes the model, in the format of its kind, into `folder`, and beside it how inputs are scaled where they are not as stored. @throws UserError('disk'). */
export async function writeModelInto(
  folder: string,
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  inputScales: readonly InputScale[],
): Promise<void> {
  await ensureFolder(folder);
  const path = modelPathIn(folder, model);
  const written = withWeights(model, weights);
  await (written.kind === 'layers' ? writeTfjsModel(written, path) : writeGraph(written, path));
  await writeScaleFile(path, inputScales);
}

/**
 * Writes the sparse package of a result and reads it back.
 * @returns its size and its content. @throws UserError('disk').
 */
export async function writePackageInto(folder: string, model: Model): Promise<{ bytes: number; model: Model }> {
  const file = join(folder, RESULT_PACKAGE);
  await writeFileAtomic(file, writeSparsePackage(model));
  const written = await readFile(file);
  return { bytes: written.length, model: readSparsePackage(written, file, model) };
}

/** Writes `result.json`: the run's last figures, for programs. @throws UserError('disk'). */
export async function writeResult(
  folder: string,
  done: Omit<Extract<RunEvent, { event: 'done' }>, 'time'>,
): Promise<void> {
  await ensureFolder(folder);
  await writeFileAtomic(join(folder, 'result.json'), `${JSON.stringify(done, null, 2)}\n`);
}
