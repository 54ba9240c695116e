/** The files beside a model that hold its tensors' bytes. [onnx: docs/ExternalData.md] */
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, posix, win32 } from 'node:path';
import { whatElse } from '../../files/jsonText.js';
import { isInside } from '../../files/workspacePath.js';
import { UserError, type ErrorCode } from '../../protocol/errors.js';
import type { ExternalRange, OnnxGraph, OnnxTensor } from './onnxModel.js';
import type { ReadExternal } from './readTensor.js';
import { quoted } from './wire.js';

/** Bytes per read call. */
const PIECE = 2 ** 26;

/** Every tensor of a graph and of graphs inside it. */
export function* allTensors(graph: OnnxGraph): Generator<OnnxTensor> {
  yield* graph.initializers.values();
  for (const { attributes } of graph.nodes)
    for (const attribute of attributes.values())
      if (attribute.kind === 'tensor') yield attribute.value;
      else if (attribute.kind === 'graph') yield* allTensors(attribute.value);
}

const keyOf = ({ location, offset, length }: ExternalRange): string => `${offset} ${length} ${location}`;

/** Why the text of a location cannot be a path inside the model's folder; null if it may be one. */
function whyOutside(location: string): string | null {
  if (location.includes('\0')) return 'is not a path';
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location)) return 'is a URL';
  if (posix.isAbsolute(location) || win32.isAbsolute(location) || /^[a-z]:/i.test(location)) return 'is no path from the model on'; // prettier-ignore
  return location.split(/[/\\]/).includes('..') ? 'leads out of the folder of the model' : null;
}

/**
 * The real path of a file that a model names.
 * @param model absolute, links resolved.
 * @throws UserError('path-outside-workspace') if its text or a link leads out of the model's folder;
 * UserError('model-missing') if the file does not exist.
 */
async function locate(model: string, location: string, tensor: string): Promise<string> {
  const folder = dirname(model);
  const refuse = (code: ErrorCode, problem: string): never => {
    throw new UserError(code, `${model}: the values of ${quoted(tensor)} lie in the file ${quoted(location)}, which ${problem}`, { file: location, field: tensor }); // prettier-ignore
  };
  const saved = 'save the model with its weights beside it (onnx.save_model with save_as_external_data=True)';
  const outside = whyOutside(location);
  if (outside !== null) refuse('path-outside-workspace', `${outside}; ${saved}`);
  let path: string;
  try {
    path = await realpath(join(folder, location));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    return refuse('model-missing', missing ? `is missing; copy it into ${folder} too, or save the model as one file (onnx.save_model with save_as_external_data=False)` : `cannot be read: ${code ?? message}`); // prettier-ignore
  }
  if (!isInside(folder, path))
    refuse('path-outside-workspace', 'is a link out of the folder of the model; put the file itself there');
  // Opening a pipe would block.
  if (!(await stat(path)).isFile()) refuse('model-missing', 'is no file');
  return path;
}

/** The bytes of a range, read in pieces, so that other work can run between them. @throws UserError('model-invalid'). */
export async function readRange(handle: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const fail = (problem: string): never => {
    throw new UserError('model-invalid', `${path} ${problem}`, { file: path });
  };
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(length);
  } catch {
    return fail(`holds a tensor of ${length} bytes, which is more than fits in memory`);
  }
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(PIECE, length - done), offset + done);
    if (bytesRead === 0) fail('became shorter while it was read; try again');
    done += bytesRead;
  }
  return bytes;
}

/** The ranges that were read from files beside the model. */
export class ExternalFiles {
  readonly #bytes = new Map<string, Uint8Array>();
  readonly #paths = new Map<string, string>();

  /** Bytes of a range that `load` has read. @throws UserError('model-missing') for other ranges. */
  readonly read: ReadExternal = (range) => {
    const bytes = this.#bytes.get(keyOf(range));
    if (bytes) return bytes;
    throw new UserError('model-missing', `${quoted(range.location)} was not read with its model`);
  };

  /** The real path of a file that was read. */
  pathOf(location: string): string {
    return this.#paths.get(location)!;
  }

  /**
   * Reads the ranges of other files that the graph's tensors need; a shared range is read once.
   * @param model absolute, links resolved. @param onFile called with each file's real path before it is read.
   * @throws UserError('path-outside-workspace' | 'model-missing' | 'model-invalid') naming the file and a tensor in it.
   */
  async load(graph: OnnxGraph, model: string, onFile: (path: string) => void): Promise<void> {
    const files = new Map<string, OnnxTensor[]>();
    for (const tensor of allTensors(graph)) {
      if (!tensor.external) continue;
      const { location } = tensor.external;
      const others = files.get(location);
      if (others) others.push(tensor);
      else files.set(location, [tensor]);
    }
    for (const [location, tensors] of files) {
      const path = await locate(model, location, tensors[0]!.name);
      onFile(path);
      this.#paths.set(location, path);
      const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
        throw new UserError('model-missing', `${path} cannot be read: ${error.code ?? error.message}`, { file: path });
      });
      try {
        await this.#loadFile(handle, path, tensors);
      } finally {
        await handle.close();
      }
    }
  }

  async #loadFile(handle: FileHandle, path: string, tensors: readonly OnnxTensor[]): Promise<void> {
    const { size } = await handle.stat();
    const ranges = new Map(tensors.map((tensor) => [keyOf(tensor.external!), tensor]));
    let [end, before] = [0, ''];
    for (const { name, external } of [...ranges.values()].sort((a, b) => a.external!.offset - b.external!.offset)) {
      const { offset, length } = external!;
      const fail = (problem: string): never => {
        throw new UserError('model-invalid', `${path} ${problem}`, { file: path, field: name });
      };
      const needed = length ?? Math.max(size - offset, 0);
      if (offset + needed > size) {
        const other = whatElse(await readRange(handle, path, 0, Math.min(size, 256)));
        fail(other ?? `ends at byte ${size}, and the values of ${quoted(name)} lie from ${offset} to ${offset + needed}; is it cut off? copy or download it again`); // prettier-ignore
      }
      // Overlapping ranges could ask for any amount of memory.
      if (needed > 0 && offset < end) fail(`holds the values of ${quoted(name)} and ${quoted(before)} in the same place; save the model again`); // prettier-ignore
      if (needed > 0) [end, before] = [offset + needed, name];
      this.#bytes.set(keyOf(external!), await readRange(handle, path, offset, needed));
    }
  }
}
