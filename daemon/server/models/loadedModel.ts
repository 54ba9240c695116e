/** A model file in memory, and what the daemon asks of it. Answers are plain data, because a thread may hold the model. */
import { basename } from 'node:path';
import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { FileCache } from '../../files/fileCache.js';
import { stampFile, type FileStamps } from '../../files/fileStamps.js';
import type { FileFormat } from '../../lc/budgets.js';
import { readModel } from '../../model/files/readModel.js';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import { frozenNote } from '../../model/layers/trainedLayers.js';
import type { LayerSummary, Model } from '../../model/model.js';
import { summarizeModel } from '../../model/summarize.js';
import { asInNewPlan, previewBudget, previewForPlan } from '../../plan/previewBudget.js';
import { readPlan } from '../../plan/readPlan.js';
import type { BudgetPreview, ModelSummary } from '../../protocol/messages.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import type { Budget, PathSettings } from '../../protocol/plan.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { LIMITS } from '../limits.js';

export interface LoadedModel {
  readonly model: Model;
  readonly layers: readonly LayerSummary[];
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The file format that a budget in bytes refers to. */
  readonly format: FileFormat;
  /** The files that were read, as they were before. */
  readonly files: FileStamps;
}

/** The last model asked about, kept for a minute: a budget box asks with every key press. */
export class LoadedModels {
  readonly #models = new FileCache<LoadedModel>({ kept: 1, lifetime: LIMITS.modelLifetime });

  /** @throws UserError model-missing, model-invalid, model-unsupported. */
  load(path: string, workspace: string): Promise<LoadedModel> {
    return this.#models.get(`${workspace}\0${path}`, async (files) => {
      const model = await readModel(path, { workspace, onFile: (file) => stampFile(files, file) });
      const weights = new Map(model.weights.map((weight) => [weight.name, weight.data]));
      return { model, layers: summarizeModel(model), weights, format: fileFormatOf(model), files };
    });
  }
}

/** The questions, what they need to know, and their answers. */
export interface Questions {
  layers: { params: null; answer: readonly LayerSummary[] };
  /** `shown`: the model's file, as the client names it. */
  summary: { params: { readonly shown: AbsolutePath }; answer: ModelSummary };
  /** As a new plan would prune it. */
  preview: { params: { readonly budget: Budget; readonly exclude?: readonly string[] | undefined }; answer: BudgetPreview };
  /** `pruned`: by default all layers that the plan prunes. */
  previewForPlan: {
    params: { readonly plan: ResolvedPlan; readonly budget: Budget; readonly pruned?: readonly string[] | undefined };
    answer: BudgetPreview;
  };
} // prettier-ignore

export type Question = keyof Questions;

const ANSWERS: { readonly [Q in Question]: (model: LoadedModel, params: Questions[Q]['params']) => Questions[Q]['answer'] } = {
  layers: ({ layers }) => layers,
  summary: (model, { shown }) => modelSummary(model, shown),
  preview: (model, { budget, exclude }) => previewBudget(asInNewPlan(model), budget, exclude),
  previewForPlan: (model, { plan, budget, pruned }) => previewForPlan(model, plan, budget, pruned),
}; // prettier-ignore

export const answerOf = <Q extends Question>(question: Q, model: LoadedModel, params: Questions[Q]['params']): Questions[Q]['answer'] => ANSWERS[question](model, params); // prettier-ignore

export interface PlanToRead {
  readonly path: string;
  readonly workspace: string;
  readonly asPath?: PathSettings;
}

/** The plan of a file, for a model that may be held already. @throws as `readPlan` */
export const planOf = ({ path, ...options }: PlanToRead, models: LoadedModels): Promise<ResolvedPlan> =>
  readPlan(path, { ...options, formatOf: fileFormatOf, opened: (file) => models.load(file, options.workspace) });

function countZeros(values: Float32Array): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}

/** Zeros are counted among prunable weights only. @param path the model's file, as the client names it. */
export function modelSummary(
  { model, layers, weights }: Pick<LoadedModel, 'model' | 'layers' | 'weights'>,
  path: AbsolutePath,
): ModelSummary {
  const frontEnd = frontEndOf(model);
  const links = frontEnd.links();
  const rows = layers.map((layer) => {
    const kernels = layer.weights.filter((weight) => weight.prunable);
    const zeros = kernels.reduce((total, { name }) => total + countZeros(weights.get(name) ?? new Float32Array()), 0);
    return {
      name: layer.name,
      className: layer.className,
      outputShape: layer.outputShape ? [...layer.outputShape] : null,
      params: layer.params,
      prunable: layer.prunable,
      flops: layer.flops,
      zeros,
      frozen: layer.frozen === true,
      ...(links.get(layer.name) ?? { reads: [], units: null }),
    };
  });
  const sum = (key: 'params' | 'prunable' | 'flops' | 'zeros') => rows.reduce((total, row) => total + row[key], 0);
  return {
    path,
    format: model.format,
    name: frontEnd.name ?? basename(model.path),
    params: sum('params'),
    prunable: sum('prunable'),
    bytes: model.weights.reduce((total, weight) => total + weight.data.length * 4, 0),
    flops: sum('flops'),
    zeros: sum('zeros'),
    layers: rows,
    notes: [...model.notes, frozenNote(layers)].filter((note) => note !== null),
  };
}
