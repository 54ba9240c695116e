/** Reading a model file of any supported format; the format is told by content, never by name. */
import { open } from 'node:fs/promises';
import { UserError } from '../protocol/errors.js';
import { MAX_JSON_BYTES, readBounded, whatElse } from './jsonText.js';
import type { Model } from './model.js';
import { parseModelJson } from './modelJson.js';
import { readTfjsWeights } from './readTfjs.js';
import { resolveInside } from './workspacePath.js';

type Kind = 'json' | 'hdf5' | 'zip';

/** By the file's first bytes: HDF5 and zip have signatures, everything else is taken for text. */
async function kindOf(path: string): Promise<Kind> {
  let head: Buffer;
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
      head = buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    // readBounded says why.
    return 'json';
  }
  if (head.subarray(0, 8).equals(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'))) return 'hdf5';
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) return 'zip';
  const other = whatElse(head);
  if (other !== null) throw new UserError('model-invalid', `${path} ${other}`, { file: path });
  return 'json';
}

/**
 * Reads and normalises a model: a TensorFlow.js model.json with its shards, a Keras `.h5`, or a Keras `.keras`.
 * @param path absolute, or relative to the workspace.
 * @param options.workspace nothing outside it is read, links resolved.
 * @throws UserError: 'path-outside-workspace', 'model-missing', 'model-invalid', 'model-unsupported'; one line each.
 */
export async function readModel(path: string, options: { readonly workspace: string }): Promise<Model> {
  const file = await resolveInside(options.workspace, options.workspace, path);
  const kind = await kindOf(file);
  if (kind !== 'json') throw new UserError('model-unsupported', `${file} is a Keras file`, { file });
  const bytes = await readBounded(file, MAX_JSON_BYTES);
  const parsed = parseModelJson(bytes.toString('utf8'), file);
  if (parsed.manifest === null) {
    throw new UserError(
      'model-invalid',
      `${file} is a topology without weights (Keras to_json); save the whole model`,
      { file },
    );
  }
  return readTfjsWeights(parsed, file, options.workspace);
}
