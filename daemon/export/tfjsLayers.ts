/** The pruned model as a TensorFlow.js layers-model: model.json and its weights. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Model } from '../model/model.js';
import { writeTfjsModel } from '../model/writeTfjs.js';
import { UserError } from '../protocol/errors.js';

/** The files' contents, without writing them where anybody looks. */
export async function tfjsLayersFiles(model: Model): Promise<Uint8Array[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lc-prune-'));
  try {
    await writeTfjsModel(model, join(folder, 'model.json'));
    const names = (await readdir(folder)).sort();
    return await Promise.all(names.map((name) => readFile(join(folder, name))));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param target a `.json` file, or a folder (made where missing) that gets `model.json`. */
export async function writeTfjsLayers(model: Model, target: string): Promise<{ path: string; bytes: number }> {
  const path = target.endsWith('.json') ? target : join(target, 'model.json');
  await mkdir(dirname(path), { recursive: true }).catch((error: Error) => {
    throw new UserError('disk', `${dirname(path)} cannot be made: ${error.message}`, { file: dirname(path) });
  });
  await writeTfjsModel(model, path);
  return { path, bytes: await writtenBytes(path) };
}

/** The topology file and the shards it names. */
async function writtenBytes(path: string): Promise<number> {
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { weightsManifest: { paths: string[] }[] };
  const files = [
    path,
    ...manifest.weightsManifest.flatMap((group) => group.paths.map((name) => join(dirname(path), name))),
  ];
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((total, size) => total + size, 0);
}
