/** Slow work on a model file: done in place for small files, in a worker thread for large ones. */
import { readFile } from 'node:fs/promises';
import { locateLayers } from '../model/files/detect.js';
import { stampFile, type FileStamps } from '../files/fileStamps.js';
import { parseModelJson } from '../model/files/modelJson.js';
import { readModel } from '../model/files/readModel.js';
import { summarizeLayers } from '../model/layers/summarizeLayers.js';
import { summarizeModel } from '../model/summarize.js';
import type { Model } from '../model/model.js';
import type { ModelFile } from './modelFiles.js';
import { LineIndex } from './text.js';

/** @throws UserError if the file is not a model. */
export async function readModelFile(path: string): Promise<ModelFile> {
  const text = await readFile(path, 'utf8');
  const { topology, manifest, trainingConfig } = parseModelJson(text, path);
  const weights = manifest?.flatMap((group) => group.weights);
  const layers = summarizeLayers({ topology, ...(weights && { weights }), ...(trainingConfig && { trainingConfig }) });
  const lines = new LineIndex(text);
  const places = locateLayers(text).map(({ name, offset, length }) => [name, lines.range(offset, length)] as const);
  return { path, layers, places: new Map(places) };
}

/** Zeros among a model's prunable weights, and the files that were read for it. */
export interface ZeroCount {
  /** null: they cannot be read. */
  readonly zeros: number | null;
  readonly files: FileStamps;
}

/** Never rejects: unreadable files are part of the answer too, because they may be replaced. */
export async function countZeros(path: string, workspace: string): Promise<ZeroCount> {
  const files: FileStamps = new Map();
  const onFile = (file: string) => stampFile(files, file);
  const zeros = await readModel(path, { workspace, onFile }).then(prunableZeros, () => null);
  return { zeros, files };
}

function prunableZeros(model: Model): number {
  const layers = summarizeModel(model);
  const prunable = new Set(
    layers.flatMap((layer) => layer.weights.flatMap(({ name, prunable }) => (prunable ? [name] : []))),
  );
  let zeros = 0;
  for (const { name, data } of model.weights) {
    if (!prunable.has(name)) continue;
    for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  }
  return zeros;
}
