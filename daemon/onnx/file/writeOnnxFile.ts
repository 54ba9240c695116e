/** Writes a changed ONNX model to disk, with the files beside it that hold its tensors. */
import { open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { ensureFolder } from '../../files/makeFolder.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { isInside } from '../../files/workspacePath.js';
import { UserError } from '../../protocol/errors.js';
import type { NewPlace } from './editTensor.js';
import { layoutTensors, type Layout } from './externalLayout.js';
import { allTensors, readRange } from './externalFiles.js';
import type { OnnxFile } from './onnxFile.js';
import type { OnnxTensor } from './onnxModel.js';
import { replaceTensors, type OnnxChanges } from './replaceTensors.js';
import { quoted } from './wire.js';

/** Bytes between the tensors of a file: the old ones if the tensors keep their places, else zeros. */
async function between(source: string | null, from: number, to: number): Promise<Uint8Array> {
  if (source === null) return new Uint8Array(to - from);
  const handle = await open(source, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new UserError('model-missing', `${source} cannot be read again: ${error.code ?? error.message}`, { file: source }); // prettier-ignore
  });
  try {
    return await readRange(handle, source, from, to - from);
  } finally {
    await handle.close();
  }
}

/** @param source the file as it was. */
async function piecesOf({ items, same }: Layout, source: string): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (const { offset, bytes } of items) {
    if (offset > end) pieces.push(await between(same ? source : null, end, offset));
    pieces.push(bytes);
    end = Math.max(end, offset + bytes.length);
  }
  const size = same ? ((await stat(source).catch(() => null))?.size ?? end) : end;
  if (size > end) pieces.push(await between(source, end, size));
  return pieces;
}

/** The target path of a file beside the model. @throws UserError('path-outside-workspace') if links lead out of the folder. */
async function targetOf(folder: string, location: string): Promise<string> {
  const path = join(folder, location);
  await ensureFolder(dirname(path));
  if (isInside(await realpath(folder), await realpath(dirname(path)))) return path;
  throw new UserError('path-outside-workspace', `${path} is behind a link out of ${folder}; choose another folder`, { file: path }); // prettier-ignore
}

/**
 * Writes a model with replacements, see replaceTensors, and the files that hold its tensors, under their names and in their order. In
 * the model's own folder these files get the new file's name as a prefix, so that no file of the model is overwritten.
 * @param target absolute; its folder exists. @returns the paths written, the model's first.
 * @throws UserError('model-invalid') if a replacement does not fit, UserError('model-missing'), UserError('disk').
 */
export async function writeOnnxFile(file: OnnxFile, changes: OnnxChanges, target: string): Promise<string[]> {
  const fail = (tensor: string, problem: string): never => {
    throw new UserError('model-invalid', `${file.path}: initializer ${quoted(tensor)}: ${problem}`, { file: file.path, field: tensor }); // prettier-ignore
  };
  const folder = dirname(target);
  const beside = (await realpath(folder).catch(() => folder)) === dirname(file.path);
  const { initializers } = file.model.graph;
  const files = new Map<string, OnnxTensor[]>();
  for (const tensor of allTensors(file.model.graph))
    if (tensor.external) {
      const { location } = tensor.external;
      if (initializers.get(tensor.name) !== tensor)
        fail(tensor.name, 'it lies in another file, and inside a node, where it cannot be written');
      files.set(location, files.get(location) ?? []);
      files.get(location)!.push(tensor);
    }
  const places = new Map<string, NewPlace>();
  const written: { path: string; pieces: Uint8Array[] }[] = [];
  for (const [location, tensors] of files) {
    const layout = layoutTensors(tensors, changes.initializers, file.external.read, fail);
    const stem = basename(target, extname(target));
    const named = beside
      ? join(dirname(location), `${stem}.${basename(location)}`)
          .split('\\')
          .join('/')
      : location;
    // All places are rewritten: if one changes, the checksum of the file that some writers add to each is stale.
    if (named !== location || tensors.some(({ name }) => changes.initializers.has(name)))
      for (const { name } of tensors) places.set(name, { location: named, ...layout.places.get(name)! });
    written.push({
      path: await targetOf(folder, named),
      pieces: await piecesOf(layout, file.external.pathOf(location)),
    });
  }
  const model = replaceTensors(file.bytes, { ...changes, places }, file.path);
  for (const { path, pieces } of written) await writeFileAtomic(path, pieces);
  await writeFileAtomic(target, model);
  return [target, ...written.map(({ path }) => path)];
}
