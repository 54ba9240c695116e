/** The model asked about last, kept for a minute: a budget that is being typed asks about it at every key. */
import { stat } from 'node:fs/promises';
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

export class ModelCache {
  #entry: { key: string; loaded: Promise<LoadedModel> } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws UserError model-missing, model-invalid, model-unsupported. */
  async load(path: string, workspace: string): Promise<LoadedModel> {
    const info = await stat(path).catch(() => null);
    const key = `${path}\0${info?.mtimeMs}\0${info?.size}`;
    if (this.#entry?.key !== key) {
      const loaded = read(path, workspace);
      this.#entry = { key, loaded };
      loaded.catch(() => this.#forget(key));
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#forget(key), LIFETIME);
    this.#timer.unref();
    return this.#entry.loaded;
  }

  #forget(key: string): void {
    if (this.#entry?.key === key) this.#entry = undefined;
  }
}

async function read(path: string, workspace: string): Promise<LoadedModel> {
  const [{ readModel }, { summarizeModel }, { fileFormatOf }] = await Promise.all([
    import('../model/readModel.js'),
    import('../model/summarize.js'),
    import('../export/packageFormat.js'),
  ]);
  const model = await readModel(path, { workspace });
  return {
    model,
    layers: summarizeModel(model),
    weights: new Map(model.weights.map((weight) => [weight.name, weight.data])),
    format: fileFormatOf(model),
  };
}
