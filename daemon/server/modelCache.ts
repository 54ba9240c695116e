/** The model asked about last, kept for a minute: a budget that is being typed asks about it at every key. */
import { statSync } from 'node:fs';
import type { FileFormat } from '../lc/budgets.js';
import type { LayerSummary, Model } from '../model/model.js';

export interface LoadedModel {
  readonly model: Model;
  readonly layers: readonly LayerSummary[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** What a budget in bytes buys. */
  readonly format: FileFormat;
}

const LIFETIME = 60_000;

/** What tells a file from its replacement: a shard is often written again with the same size. */
function stampOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info ? `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}` : 'missing';
}

interface Entry {
  readonly path: string;
  readonly workspace: string;
  /** Every file that was read, as it was before that. */
  readonly stamps: ReadonlyMap<string, string>;
  readonly loaded: Promise<LoadedModel>;
}

const isFresh = ({ stamps }: Entry): boolean => [...stamps].every(([file, stamp]) => stampOf(file) === stamp);

export class ModelCache {
  #entry: Entry | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws UserError model-missing, model-invalid, model-unsupported. */
  async load(path: string, workspace: string): Promise<LoadedModel> {
    let entry = this.#entry;
    if (entry?.path !== path || entry.workspace !== workspace || !isFresh(entry)) {
      const stamps = new Map<string, string>();
      const loaded = read(path, workspace, (file) => stamps.set(file, stampOf(file)));
      const own: Entry = { path, workspace, stamps, loaded };
      this.#entry = entry = own;
      loaded.catch(() => this.#forget(own));
    }
    const kept = entry;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#forget(kept), LIFETIME);
    this.#timer.unref();
    return entry.loaded;
  }

  #forget(entry: Entry): void {
    if (this.#entry === entry) this.#entry = undefined;
  }
}

async function read(path: string, workspace: string, onFile: (file: string) => void): Promise<LoadedModel> {
  const [{ readModel }, { summarizeModel }, { fileFormatOf }] = await Promise.all([
    import('../model/readModel.js'),
    import('../model/summarize.js'),
    import('../export/packageFormat.js'),
  ]);
  const model = await readModel(path, { workspace, onFile });
  return {
    model,
    layers: summarizeModel(model),
    weights: new Map(model.weights.map((weight) => [weight.name, weight.data])),
    format: fileFormatOf(model),
  };
}
