/** How a model is trained: its loss, and what the data must fit, from its own training_config or from its output layer. */
import { UserError } from '../protocol/errors.js';
import { field, isObject } from './layerConfig.js';
import { modelGraph } from './layerGraph.js';
import type { Model } from './model.js';
import { summarizeModel } from './summarize.js';

export type LossName =
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'binaryCrossentropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber';

export interface TrainingSetup {
  readonly loss: LossName;
  readonly classification: boolean;
  /** Without the batch axis; null where the model leaves a size open. */
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly outputShape: readonly number[];
}

/** Keras's spellings, in lower case without separators. */
const LOSSES: Readonly<Record<string, LossName>> = {
  categoricalcrossentropy: 'categoricalCrossentropy',
  sparsecategoricalcrossentropy: 'sparseCategoricalCrossentropy',
  binarycrossentropy: 'binaryCrossentropy',
  meansquarederror: 'meanSquaredError',
  mse: 'meanSquaredError',
  meanabsoluteerror: 'meanAbsoluteError',
  mae: 'meanAbsoluteError',
  huber: 'huber',
  huberloss: 'huber',
};

/** The compiled loss: a name, a Keras 3 object, or a list or map of them (then of the output at `index`, or by its name). */
function compiledLoss(config: Model['trainingConfig'], index: number, layer: string): LossName | null {
  let loss: unknown = config && (field(config, 'loss') ?? undefined);
  if (Array.isArray(loss)) loss = (loss as unknown[])[index] ?? loss[0];
  if (isObject(loss) && layer in loss) loss = loss[layer];
  if (isObject(loss)) loss = (isObject(loss['config']) ? loss['config']['name'] : undefined) ?? loss['class_name'];
  return typeof loss === 'string' ? (LOSSES[loss.replace(/[_\s-]/g, '').toLowerCase()] ?? null) : null;
}

/** What the output itself says: softmax and sigmoid are classification, everything else regression. */
function impliedLoss(activation: string | undefined): LossName {
  if (activation === 'softmax') return 'categoricalCrossentropy';
  return activation === 'sigmoid' ? 'binaryCrossentropy' : 'meanSquaredError';
}

/**
 * @param output the output layer to train on; default: the only one, or the last of several.
 * @throws UserError('model-unsupported') for an unknown output, or one whose shape is open.
 */
export function trainingSetup(model: Model, output?: string): TrainingSetup {
  const graph = modelGraph(model.topology);
  const index = output === undefined ? graph.outputLayers.length - 1 : graph.outputLayers.indexOf(output);
  const layer = graph.outputLayers[index];
  if (layer === undefined) {
    throw new UserError(
      'model-unsupported',
      `${model.path}: "output": there is no output layer "${output}"; outputs: ${graph.outputLayers.join(', ')}`,
      { file: model.path, field: 'output' },
    );
  }
  const shape = graph.outputShapes[index];
  if (!shape || shape.some((size) => size === null)) {
    throw new UserError(
      'model-unsupported',
      `${model.path}: the output of layer "${layer}" has an open shape; give the model fixed input sizes`,
      {
        file: model.path,
        field: layer,
      },
    );
  }
  const summary = summarizeModel(model).find(({ name }) => name === layer);
  const loss = compiledLoss(model.trainingConfig, index, layer) ?? impliedLoss(summary?.activation);
  return {
    loss,
    classification: loss.endsWith('Crossentropy'),
    inputShapes: graph.inputShapes.map((input) => input ?? []),
    outputShape: shape as number[],
  };
}
