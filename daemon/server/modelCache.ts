/** The model asked about last, kept for a minute: a budget that is being typed asks about it at every key. */
import type { FileFormat } from '../lc/budgets.js';
import { areUnchanged, stampFile, type FileStamps } from '../files/fileStamps.js';
import type { LayerSummary, Model } from '../model/model.js';

export interface LoadedModel {
  readonly model: Model;
  readonly layers: readonly LayerSummary[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** What a budget in bytes buys. */
  readonly format: FileFormat;
}

const LIFETIME = 60_000;

interface Entry {
  readonly path: string;
  readonly workspace: string;
  /** Every file that was read, as it was before that. */
  readonly stamps: FileStamps;
  readonly loaded: Promise<LoadedModel>;
}

export class ModelCache {
  #entry: Entry | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws UserError model-missing, model-invalid, model-unsupported. */
  async load(path: string, workspace: string): Promise<LoadedModel> {
    let entry = this.#entry;
    if (entry?.path !== path || entry.workspace !== workspace || !areUnchanged(entry.stamps)) {
      const stamps: FileStamps = new Map();
      const loaded = read(path, workspace, (file) => stampFile(stamps, file));
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
    import('../model/files/readModel.js'),
    import('../model/summarize.js'),
    import('../export/sparse/packageFormat.js'),
  ]);
  const model = await readModel(path, { workspace, onFile });
  return {
    model,
    layers: summarizeModel(model),
    weights: new Map(model.weights.map((weight) => [weight.name, weight.data])),
    format: fileFormatOf(model),
  };
}
