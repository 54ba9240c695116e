/**
 * Model files as they are on disk, parsed once per version. They are never sent over the socket: a model.json can have 20 MB,
 * and an editor would send it again at every key.
 */
import { open, stat } from 'node:fs/promises';
import type { Position, Range } from 'vscode-languageserver-protocol/node';
import type { ARCHITECTURES } from '../protocol/plan.js';
import { isGraphModelJson, isModelJson } from '../model/files/detect.js';
import type { LayerSummary } from '../model/model.js';
import { areUnchanged } from '../files/fileStamps.js';
import { countZerosInBackground, readModelInBackground } from './modelJobs.js';
import type { ZeroCount } from './readModelFile.js';

type ArchitectureName = (typeof ARCHITECTURES)[number];

export interface ModelFile {
  readonly path: string;
  readonly layers: readonly LayerSummary[];
  /** Layer name -> where it stands; a layer that is not found in the text is missing. */
  readonly places: ReadonlyMap<string, Range>;
}

/** The innermost layer whose object covers a position. */
export function layerAt({ places }: ModelFile, { line, character }: Position): string | null {
  let best: { name: string; lines: number } | null = null;
  for (const [name, { start, end }] of places) {
    const after = line > start.line || (line === start.line && character >= start.character);
    const before = line < end.line || (line === end.line && character <= end.character);
    if (after && before && (!best || end.line - start.line <= best.lines))
      best = { name, lines: end.line - start.line };
  }
  return best?.name ?? null;
}

/** A model, or why the file is none that can be pruned, as the end of a sentence; neither of other JSON. */
interface Parsed {
  readonly file: ModelFile | null;
  readonly problem: string | null;
}

interface Version {
  readonly key: string;
  readonly parsed: Promise<Parsed>;
  /** undefined: not asked for yet, or being counted; null: not to be counted. */
  counted: ZeroCount | null | undefined;
  counting: Promise<number | null> | null;
}

/** Parsed files kept; the least recently used goes. */
const KEPT = 8;
/** A model is told by its first bytes: the keys stand at the front in every writer's output. */
const HEAD = 64 * 1024;
const MAX_JSON = 128 * 1024 * 1024;
/** Weights above this are not read just to count zeros. */
const MAX_WEIGHTS = 256 * 1024 * 1024;

export class ModelFiles {
  readonly #versions = new Map<string, Version>();
  readonly #architectures = new Map<string, Promise<readonly LayerSummary[]>>();

  /** The model in a JSON file, or null when it is none. @param path absolute, checked to lie in the workspace. */
  async open(path: string): Promise<ModelFile | null> {
    return (await (await this.#version(path))?.parsed)?.file ?? null;
  }

  /** Why a file that looks like a model cannot be read as one: "is a graph-model, ...". */
  async problemOf(path: string): Promise<string | null> {
    return (await (await this.#version(path))?.parsed)?.problem ?? null;
  }

  /**
   * The layers of a model of any format, for a plan that names it.
   * @throws UserError('model-missing' | 'model-invalid' | 'model-unsupported') that says what is wrong with it.
   */
  async layersOf(path: string, workspace: string): Promise<readonly LayerSummary[]> {
    const file = await this.open(path);
    if (file) return file.layers;
    const [{ readModel }, { summarizeModel }] = await Promise.all([
      import('../model/files/readModel.js'),
      import('../model/summarize.js'),
    ]);
    return summarizeModel(await readModel(path, { workspace }));
  }

  /** The layers of an architecture that the product builds itself. */
  async architectureLayers(name: ArchitectureName): Promise<readonly LayerSummary[]> {
    let layers = this.#architectures.get(name);
    if (!layers) {
      layers = Promise.all([import('../model/setup/architectures.js'), import('../model/summarize.js')]).then(
        ([{ buildArchitecture }, { summarizeModel }]) => summarizeModel(buildArchitecture(name, 0)),
      );
      this.#architectures.set(name, layers);
    }
    return layers;
  }

  /** Zeros among the prunable weights; null where they cannot or should not be counted, undefined until `countZeros`. */
  async knownZeros(path: string): Promise<number | null | undefined> {
    const version = await this.#version(path);
    if (!version) return null;
    return version.counted && version.counted.zeros;
  }

  /** Reads the weights, once per version of the model's files. */
  async countZeros(path: string, workspace: string): Promise<number | null> {
    const version = await this.#version(path);
    if (!version) return null;
    version.counting ??= version.parsed
      .then(({ file }) => (file ? zerosOf(file, workspace) : null))
      .catch(() => null)
      .then((counted) => (version.counted = counted)?.zeros ?? null);
    return version.counting;
  }

  async #version(path: string): Promise<Version | null> {
    const info = await stat(path).catch(() => null);
    if (!info?.isFile() || info.size > MAX_JSON) {
      this.#versions.delete(path);
      return null;
    }
    const key = `${info.mtimeMs} ${info.size}`;
    const known = this.#versions.get(path);
    const version: Version =
      known?.key === key ? known : { key, parsed: parse(path, info.size), counted: undefined, counting: null };
    // Shards may be replaced behind the same model.json.
    if (version.counted && !areUnchanged(version.counted.files))
      Object.assign(version, { counted: undefined, counting: null });
    this.#versions.delete(path);
    this.#versions.set(path, version);
    for (const oldest of this.#versions.keys()) {
      if (this.#versions.size <= KEPT) break;
      this.#versions.delete(oldest);
    }
    return version;
  }
}

async function readHead(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** JSON of another kind is nothing to speak of; a model that cannot be read is. */
async function parse(path: string, bytes: number): Promise<Parsed> {
  try {
    const head = await readHead(path);
    if (!isModelJson(head) && !isGraphModelJson(head)) return { file: null, problem: null };
    return { file: await readModelInBackground(path, bytes), problem: null };
  } catch (error) {
    // Errors of a worker thread have lost their class; ours begin with the file.
    const { message } = error as Error;
    return { file: null, problem: message.startsWith(`${path} `) ? message.slice(path.length + 1) : null };
  }
}

async function zerosOf(file: ModelFile, workspace: string): Promise<ZeroCount | null> {
  const bytes = 4 * file.layers.reduce((total, layer) => total + layer.params, 0);
  return bytes > MAX_WEIGHTS ? null : countZerosInBackground(file.path, workspace, bytes);
}
