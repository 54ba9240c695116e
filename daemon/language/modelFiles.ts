/**
 * Model files on disk, parsed once per version. They are never sent over the socket: a model.json can have 20 MB, and an editor would send it again
 * with every key press.
 */
import { open, stat } from 'node:fs/promises';
import type { Position, Range } from 'vscode-languageserver-protocol/node';
import type { ARCHITECTURES } from '../protocol/plan.js';
import { isGraphModelJson, isModelJson } from '../model/files/detect.js';
import type { LayerSummary } from '../model/model.js';
import { FileCache } from '../files/fileCache.js';
import { stampFile } from '../files/fileStamps.js';
import { countZerosInBackground, readModelInBackground } from './modelJobs.js';
import type { LanguageHost } from './host.js';
import { LIMITS } from './limits.js';

type ArchitectureName = (typeof ARCHITECTURES)[number];

export interface ModelFile {
  readonly path: string;
  readonly layers: readonly LayerSummary[];
  /** Layer name -> its position; a layer that is not found in the text is missing. */
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

/** A model, or why the file cannot be pruned, as the end of a sentence; neither for other JSON. */
interface Parsed {
  readonly file: ModelFile | null;
  readonly problem: string | null;
}

/** Most parsed files kept; the least recently used is dropped. */
const KEPT = 8;
/** A model is recognised by its first bytes: every writer puts the keys there. */
const HEAD = 64 * 1024;

const architectures = new Map<ArchitectureName, Promise<readonly LayerSummary[]>>();

/** The layers of an architecture that the product builds itself. */
export function architectureLayers(name: ArchitectureName): Promise<readonly LayerSummary[]> {
  let layers = architectures.get(name);
  if (!layers) {
    layers = Promise.all([import('../model/setup/architectures.js'), import('../model/summarize.js')]).then(
      ([{ buildArchitecture }, { summarizeModel }]) => summarizeModel(buildArchitecture(name, 0)),
    );
    architectures.set(name, layers);
  }
  return layers;
}

export class ModelFiles {
  readonly #parsed = new FileCache<Parsed>({ kept: KEPT });
  readonly #zeros = new FileCache<number | null>({ kept: KEPT });
  /** @param readLayers reads a model of any format. */
  constructor(private readonly readLayers: LanguageHost['layersOf']) {}

  /** The model in a JSON file, or null if there is none. @param path absolute, checked to lie in the workspace. */
  async open(path: string): Promise<ModelFile | null> {
    return (await this.#parse(path)).file;
  }

  /** Why a file that looks like a model cannot be read as one: "is a graph-model, ...". */
  async problemOf(path: string): Promise<string | null> {
    return (await this.#parse(path)).problem;
  }

  /**
   * The layers of a model of any format, for a plan that names it.
   * @throws UserError('model-missing'
   * 'model-invalid'
   * 'model-unsupported') with the reason.
   */
  async layersOf(path: string, workspace: string): Promise<readonly LayerSummary[]> {
    const file = await this.open(path);
    return file ? file.layers : this.readLayers(path, workspace);
  }

  /** Zeros among the prunable weights; null if they cannot or should not be counted, undefined until `countZeros`. */
  knownZeros(path: string): number | null | undefined {
    return this.#zeros.known(path)?.value;
  }

  /** Reads the weights, once per version of the model's files. */
  countZeros(path: string, workspace: string): Promise<number | null> {
    const counted = this.#zeros.get(path, async (stamps) => {
      stampFile(stamps, path);
      const { file } = await this.#parse(path);
      if (!file) return null;
      const bytes = 4 * file.layers.reduce((total, layer) => total + layer.params, 0);
      if (bytes > LIMITS.countedWeights) return null;
      const { zeros, files } = await countZerosInBackground(path, workspace, bytes);
      for (const [read, stamp] of files) stamps.set(read, stamp);
      return zeros;
    });
    // A thread that ended early is not evidence about the files.
    return counted.catch(() => null);
  }

  #parse(path: string): Promise<Parsed> {
    return this.#parsed.get(path, async (stamps) => {
      stampFile(stamps, path);
      const info = await stat(path).catch(() => null);
      return info?.isFile() && info.size <= LIMITS.modelJson ? parse(path, info.size) : { file: null, problem: null };
    });
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

/** Other JSON has no lens; a model that cannot be read has one. */
async function parse(path: string, bytes: number): Promise<Parsed> {
  try {
    const head = await readHead(path);
    if (!isModelJson(head) && !isGraphModelJson(head)) return { file: null, problem: null };
    return { file: await readModelInBackground(path, bytes), problem: null };
  } catch (error) {
    const { message } = error as Error;
    return { file: null, problem: message.startsWith(`${path} `) ? message.slice(path.length + 1) : null };
  }
}
