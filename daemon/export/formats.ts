/** The export formats. A format is one entry of `FORMATS`; every client then offers it. */
import { writeFileAtomic } from '../files/atomicWrite.js';
import type { Model } from '../model/model.js';
import type { ExportUse } from '../protocol/exports.js';
import { writeKeras, writeKerasH5 } from '../model/files/writeKeras.js';
import { writeTfjsModel } from '../model/files/writeTfjs.js';
import type { Latency } from './latency.js';
import { writeMask, writeScipyFolder } from './numpyFormats.js';
import { writeSafetensors } from './safetensors.js';
import { writeSparseModule } from './sparse/sparseModule.js';
import { writeSparsePackage } from './sparse/sparsePackage.js';
import { asPlainTfjs } from './tfjs/tfjsModel.js';
import { writeTfjsQuantized } from './tfjs/tfjsQuantized.js';
import { writeOnnx } from './writeOnnx.js';

export interface Format {
  /** Its name in commands and messages. */
  readonly id: string;
  /** Its name for users. */
  readonly name: string;
  /** Of its main file, with the dot; '' where it is a folder. */
  readonly extension: '.json' | '.h5' | '.keras' | '.onnx' | '.safetensors' | '.lcp' | '.mjs' | '.npz' | '';
  /** Thinned: fewer neurons, the same outputs (thin.ts), instead of the model with its zeros. */
  readonly thinned: boolean;
  readonly use: ExportUse;
  /** Its weights are rounded, so its outputs differ. */
  readonly rounded?: true;
  /** @param path absolute; its folder exists. @throws UserError('model-unsupported' | 'disk'). */
  write(model: Model, path: string): Promise<void>;
}

/** The network of `measureLatency` whose speed the file has; null: weights alone, which cannot be run. */
export function networkOf({
  id,
  thinned,
  use,
}: Pick<Format, 'id' | 'thinned' | 'use'>): Exclude<Latency['what'], 'reference'> | null {
  if (use === 'weights') return null;
  if (id === 'sparse-module') return 'sparse module';
  return thinned ? 'thinned' : 'pruned';
}

const sparsePackage = (model: Model, path: string): Promise<void> => writeFileAtomic(path, writeSparsePackage(model));

/** @throws UserError('model-unsupported') if TensorFlow.js has no such layer, or its result would differ. */
async function writeTfjs(model: Model, path: string, codes?: 'uint16' | 'uint8'): Promise<void> {
  const alike = asPlainTfjs(model);
  await (codes ? writeTfjsQuantized(alike, path, codes) : writeTfjsModel(alike, path));
}

export const FORMATS: readonly Format[] = [
  { id: 'tfjs-layers', name: 'TensorFlow.js layers-model', extension: '.json', thinned: false, use: 'web', write: writeTfjs },
  { id: 'tfjs-layers-thinned', name: 'TensorFlow.js layers-model, thinned', extension: '.json', thinned: true, use: 'web', write: writeTfjs },
  { id: 'tfjs-uint16', name: 'TensorFlow.js layers-model, thinned, 16 bit kernels', extension: '.json', thinned: true, use: 'web', rounded: true, write: (model, path) => writeTfjs(model, path, 'uint16') },
  { id: 'tfjs-uint8', name: 'TensorFlow.js layers-model, thinned, 8 bit kernels', extension: '.json', thinned: true, use: 'web', rounded: true, write: (model, path) => writeTfjs(model, path, 'uint8') },
  { id: 'keras-h5', name: 'Keras HDF5', extension: '.h5', thinned: false, use: 'python', write: writeKerasH5 },
  { id: 'keras', name: 'Keras 3', extension: '.keras', thinned: false, use: 'python', write: writeKeras },
  { id: 'keras-thinned', name: 'Keras 3, thinned', extension: '.keras', thinned: true, use: 'python', write: writeKeras },
  { id: 'onnx', name: 'ONNX', extension: '.onnx', thinned: false, use: 'onnx', write: writeOnnx },
  { id: 'onnx-thinned', name: 'ONNX, thinned', extension: '.onnx', thinned: true, use: 'onnx', write: writeOnnx },
  { id: 'safetensors', name: 'SafeTensors', extension: '.safetensors', thinned: false, use: 'weights', write: writeSafetensors },
  { id: 'sparse', name: 'Sparse package', extension: '.lcp', thinned: false, use: 'weights', write: sparsePackage },
  { id: 'sparse-thinned', name: 'Sparse package, thinned', extension: '.lcp', thinned: true, use: 'weights', write: sparsePackage },
  { id: 'sparse-module', name: 'JavaScript module with sparse inference', extension: '.mjs', thinned: true, use: 'web', write: writeSparseModule },
  { id: 'scipy-csr', name: 'SciPy sparse matrices (folder)', extension: '', thinned: false, use: 'weights', write: writeScipyFolder },
  { id: 'mask-npz', name: 'Mask only (NumPy)', extension: '.npz', thinned: false, use: 'weights', write: writeMask },
]; // prettier-ignore
