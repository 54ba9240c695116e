/** Reads a model file of any supported format; the content decides the format, never the name. */
import { open, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { isOnnx, KIND_BYTES, noModel, noModelFolder } from './fileKind.js';
import { MAX_JSON_BYTES, readBounded, whatElse } from '../../files/jsonText.js';
import type { LayersModel, Model } from '../model.js';
import { parseModelJson, type ModelJson } from './modelJson.js';
import { kindOfH5 } from './kerasH5.js';
import { readKerasH5, readKerasZip, readWeightsH5 } from './readKeras.js';
import { readOnnxModel } from './readOnnxModel.js';
import { readTfjsWeights } from './readTfjs.js';
import type { OnFile } from './shards.js';
import { findTopology, findWeights } from './weightsBeside.js';
import { resolveInside } from '../../files/workspacePath.js';

/** HDF5 is read into the memory of WebAssembly, which has at most 4 GB. */
const MAX_KERAS_BYTES = 2 ** 31 - 1;

type Kind = 'json' | 'hdf5' | 'zip' | 'onnx';

/** By the file's first bytes: HDF5, zip and ONNX have signatures, everything else is taken for text. */
async function kindOf(path: string): Promise<Kind> {
  let head: Buffer;
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(KIND_BYTES), 0, KIND_BYTES, 0);
      head = buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const names = (error as NodeJS.ErrnoException).code === 'EISDIR' && (await readdir(path).catch(() => null));
    if (names) throw new UserError('model-missing', `${path} ${noModelFolder(names, basename(path))}`, { file: path });
    // readBounded reports the reason.
    return 'json';
  }
  if (head.subarray(0, 8).equals(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'))) return 'hdf5';
  if (isOnnx(head, basename(path))) return 'onnx';
  const other = whatElse(head) ?? noModel(head, basename(path));
  if (other !== null) throw new UserError('model-invalid', `${path} ${other}`, { file: path });
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) return 'zip';
  return 'json';
}

interface ReadModelOptions {
  readonly workspace: string;
  /** Called with the real path of each file, before it is read. */
  readonly onFile?: OnFile;
}

/**
 * Reads and normalises a model: a TensorFlow.js model.json with its shards, a Keras `.h5` or `.keras`, or an ONNX file.
 * @param path absolute, or relative to the workspace.
 * @param options.workspace nothing outside it is read, links resolved.
 * @throws UserError: 'path-outside-workspace', 'model-missing', 'model-invalid', 'model-unsupported'; one line each.
 */
export async function readModel(path: string, options: ReadModelOptions): Promise<Model> {
  const { workspace, onFile = () => undefined } = options;
  const file = await resolveInside(workspace, workspace, path);
  onFile(file);
  const kind = await kindOf(file);
  if (kind === 'hdf5') return readH5(file, workspace, onFile);
  if (kind === 'onnx') return readOnnxModel(file, onFile);
  if (kind === 'zip') return readKerasZip(await readBounded(file, MAX_KERAS_BYTES), file);
  const bytes = await readBounded(file, MAX_JSON_BYTES);
  const parsed = parseModelJson(bytes.toString('utf8'), file);
  return parsed.manifest === null
    ? readWeightsBeside(parsed, file, workspace, onFile)
    : readTfjsWeights(parsed, file, workspace, onFile);
}

/** A topology alone (Keras `to_json`), with its weights in an HDF5 file beside it. */
async function readWeightsBeside(
  parsed: ModelJson,
  json: string,
  workspace: string,
  onFile: OnFile,
): Promise<LayersModel> {
  const path = await findWeights(json, workspace);
  onFile(path);
  const bytes = await readBounded(path, MAX_KERAS_BYTES);
  return readWeightsH5(bytes, { weights: path, topology: json, named: json }, parsed);
}

/** A Keras `.h5`: a whole model, or weights alone with their topology in a JSON file beside it. */
async function readH5(file: string, workspace: string, onFile: OnFile): Promise<LayersModel> {
  const bytes = await readBounded(file, MAX_KERAS_BYTES);
  if ((await kindOfH5(bytes, file)) === 'model') return readKerasH5(bytes, file);
  const { path, parsed } = await findTopology(file, workspace, onFile);
  return readWeightsH5(bytes, { weights: file, topology: path, named: file }, parsed);
}
