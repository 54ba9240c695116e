/** The last model requested, cached for a minute: a budget box requests it with every key press. */
import type { FileFormat } from '../lc/budgets.js';
import { FileCache } from '../files/fileCache.js';
import { stampFile } from '../files/fileStamps.js';
import type { LayerSummary, Model } from '../model/model.js';
import { LIMITS } from './limits.js';

export interface LoadedModel {
  readonly model: Model;
  readonly layers: readonly LayerSummary[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The file format that a budget in bytes refers to. */
  readonly format: FileFormat;
}

export class ModelCache {
  readonly #models = new FileCache<LoadedModel>({ kept: 1, lifetime: LIMITS.modelLifetime });

  /** @throws UserError model-missing, model-invalid, model-unsupported. */
  async load(path: string, workspace: string): Promise<LoadedModel> {
    return this.#models.get(`${workspace}\0${path}`, (stamps) =>
      read(path, workspace, (file) => stampFile(stamps, file)),
    );
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
