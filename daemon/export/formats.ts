/** The export formats. A format is one entry of `FORMATS`; every client then offers it. */
import { writeFileAtomic } from '../files/atomicWrite.js';
import type { LayersModel, Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
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
import { writeThinnedOnnx } from './thinnedOnnx.js';

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

/** A package is read with the file whose weights it has. That of a graph is the user's own, which has other sizes. */
const thinnedPackage: Format['write'] = async (model, path) => {
  if (model.kind === 'layers') return sparsePackage(model, path);
  throw new UserError(
    'model-unsupported',
    'a sparse package has weights of the ONNX file that it is read with, which has all units: export it as onnx-thinned, or as sparse',
  );
};

/** A writer of a format that holds layers. It refuses graphs of operations. */
const ofLayers =
  (what: string, write: (model: LayersModel, path: string) => Promise<void>): Format['write'] =>
  async (model, path) => {
    if (model.kind === 'layers') return write(model, path);
    throw new UserError(
      'model-unsupported',
      `${what} holds layers, and an ONNX file has operations: export it as onnx or safetensors`,
    );
  };

/** @throws UserError('model-unsupported') where TensorFlow.js has no such layer, or would compute another network. */
async function writeTfjs(model: LayersModel, path: string, codes?: 'uint16' | 'uint8'): Promise<void> {
  const alike = asPlainTfjs(model);
  await (codes ? writeTfjsQuantized(alike, path, codes) : writeTfjsModel(alike, path));
}

const tfjs = (codes?: 'uint16' | 'uint8'): Format['write'] =>
  ofLayers('TensorFlow.js', (model, path) => writeTfjs(model, path, codes));

/** @throws UserError('model-unsupported') of all but networks of dense layers. */
export const writeModule = ofLayers('The JavaScript module', writeSparseModule);

export const FORMATS: readonly Format[] = [
  { id: 'tfjs-layers', name: 'TensorFlow.js layers-model', extension: '.json', thinned: false, use: 'web', write: tfjs() },
  { id: 'tfjs-layers-thinned', name: 'TensorFlow.js layers-model, thinned', extension: '.json', thinned: true, use: 'web', write: tfjs() },
  { id: 'tfjs-uint16', name: 'TensorFlow.js layers-model, thinned, 16 bit kernels', extension: '.json', thinned: true, use: 'web', rounded: true, write: tfjs('uint16') },
  { id: 'tfjs-uint8', name: 'TensorFlow.js layers-model, thinned, 8 bit kernels', extension: '.json', thinned: true, use: 'web', rounded: true, write: tfjs('uint8') },
  { id: 'keras-h5', name: 'Keras HDF5', extension: '.h5', thinned: false, use: 'python', write: ofLayers('Keras HDF5', writeKerasH5) },
  { id: 'keras', name: 'Keras 3', extension: '.keras', thinned: false, use: 'python', write: ofLayers('Keras', writeKeras) },
  { id: 'keras-thinned', name: 'Keras 3, thinned', extension: '.keras', thinned: true, use: 'python', write: ofLayers('Keras', writeKeras) },
  { id: 'onnx', name: 'ONNX', extension: '.onnx', thinned: false, use: 'onnx', write: writeOnnx },
  { id: 'onnx-thinned', name: 'ONNX, thinned', extension: '.onnx', thinned: true, use: 'onnx', write: writeThinnedOnnx },
  { id: 'safetensors', name: 'SafeTensors', extension: '.safetensors', thinned: false, use: 'weights', write: writeSafetensors },
  { id: 'sparse', name: 'Sparse package', extension: '.lcp', thinned: false, use: 'weights', write: sparsePackage },
  { id: 'sparse-thinned', name: 'Sparse package, thinned', extension: '.lcp', thinned: true, use: 'weights', write: thinnedPackage },
  { id: 'sparse-module', name: 'JavaScript module with sparse inference', extension: '.mjs', thinned: true, use: 'web', write: writeModule },
  { id: 'scipy-csr', name: 'SciPy sparse matrices (folder)', extension: '', thinned: false, use: 'weights', write: writeScipyFolder },
  { id: 'mask-npz', name: 'Mask only (NumPy)', extension: '.npz', thinned: false, use: 'weights', write: writeMask },
]; // prettier-ignore
