/** Keras models in two files, a topology (`to_json`) and weights (`save_weights`): finds the pairs. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { MAX_JSON_BYTES, readBounded } from '../../files/jsonText.js';
import { parseModelJson, type ModelJson } from './modelJson.js';
import type { OnFile } from './shards.js';
import { resolveInside } from '../../files/workspacePath.js';

const WEIGHTS = /\.(h5|hdf5)$/i;
const JSON_FILE = /\.json$/i;

/** "net.weights.h5", "net.h5" and "net.json" -> "net" */
const stemOf = (name: string): string => name.replace(/(\.weights)?\.(h5|hdf5|json)$/i, '');

/** "net_weights", "net-model.weights", "net_architecture" -> "net" */
const coreOf = (name: string): string =>
  stemOf(name)
    .toLowerCase()
    .replace(/([._-](weights?|model|architecture|arch|topology|config|json))+$/, '');

/** The partner of a file: of the same stem, else of the same core, else the only one; null if that is ambiguous. */
export function partnerOf(name: string, others: readonly string[]): string | null {
  const same = (part: (name: string) => string) => others.filter((other) => part(other) === part(name));
  const alike = same(stemOf);
  // Of "net.weights.h5" and "net.h5", the first is named as weights.
  const exact = alike.find((other) => /\.weights\.h5$/i.test(other)) ?? alike[0];
  if (exact !== undefined) return exact;
  const similar = same(coreOf);
  if (similar.length === 1) return similar[0]!;
  return others.length === 1 ? others[0]! : null;
}

const quoted = (names: readonly string[]): string => {
  const shown = names.slice(0, 6).map((name) => `"${name}"`);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
};

/**
 * The weights of a topology file.
 * @param json absolute, real. @returns their path, real.
 * @throws UserError('model-invalid') naming the candidates if there are several.
 */
export async function findWeights(json: string, workspace: string): Promise<string> {
  const folder = dirname(json);
  const name = basename(json);
  const files = (await readdir(folder)).filter((other) => WEIGHTS.test(other)).sort();
  const chosen = partnerOf(name, files);
  if (chosen !== null) return resolveInside(workspace, folder, chosen);
  const way =
    files.length > 0
      ? `beside it lie ${quoted(files)}; name the one that holds its weights in its place`
      : `save the whole model, or put ${stemOf(name)}.weights.h5 beside it`;
  throw new UserError('model-invalid', `${json} is a topology without weights (Keras to_json); ${way}`, { file: json });
}

/** Most files of a folder that are searched for a topology. */
const MAX_LOOKED_INTO = 200;

/** The topology in a JSON file; null if it is something else; the error if it cannot be loaded. */
async function topologyIn(path: string): Promise<ModelJson | UserError | null> {
  try {
    const parsed = parseModelJson((await readBounded(path, MAX_JSON_BYTES)).toString('utf8'), path);
    // A topology with a manifest has weights of its own.
    return parsed.manifest === null ? parsed : null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.code === 'model-unsupported' ? error : null;
  }
}

/**
 * The topology of a weights file.
 * @param weights absolute, real.
 * @throws UserError('model-invalid') naming the candidates; the error of the topology.
 */
export async function findTopology(
  weights: string,
  workspace: string,
  onFile: OnFile,
): Promise<{ readonly path: string; readonly parsed: ModelJson }> {
  const folder = dirname(weights);
  const name = basename(weights);
  const found = new Map<string, { path: string; parsed: ModelJson | UserError }>();
  const names = (await readdir(folder)).filter((other) => JSON_FILE.test(other)).sort();
  // Files of the same stem first: if one matches, the others need not be read.
  names.sort((a, b) => Number(stemOf(b) === stemOf(name)) - Number(stemOf(a) === stemOf(name)));
  for (const other of names.slice(0, MAX_LOOKED_INTO)) {
    const path = await resolveInside(workspace, folder, other).catch(() => null);
    const parsed = path && (await topologyIn(path));
    if (!path || !parsed) continue;
    found.set(other, { path, parsed });
    if (stemOf(other) === stemOf(name)) break;
  }
  const chosen = partnerOf(name, [...found.keys()]);
  if (chosen === null) {
    const way =
      found.size > 0
        ? `beside it lie the topologies ${quoted([...found.keys()])}; call the one of its layers ${stemOf(name)}.json`
        : `save the whole model, or its to_json() as ${join(folder, `${stemOf(name)}.json`)}`;
    throw new UserError('model-invalid', `${weights} holds weights alone, without the layers; ${way}`, {
      file: weights,
    });
  }
  const { path, parsed } = found.get(chosen)!;
  if (parsed instanceof UserError) throw parsed;
  onFile(path);
  return { path, parsed };
}
