/** What to train a model on: its loss and the shapes of its data, from its own training config or else from its output. */
import { UserError } from '../protocol/errors.js';
import { field, isLayerJson, isObject, own, stringAt, type LayerJson } from './layerConfig.js';
import { inputsAsStored, type AsStored } from './inputsAsStored.js';
import { modelGraph } from './layerGraph.js';
import type { Model } from './model.js';

/** The engine's losses (structurally `Loss` of daemon/engine/engine.ts). */
export type TrainingLoss =
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'binaryCrossentropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber';

export interface TrainingSetup {
  readonly loss: TrainingLoss;
  /** Error is the fraction of wrong samples; targets are one-hot (or 0/1 for a single output). */
  readonly classification: boolean;
  /** Of one sample, per input; null sizes are open. */
  readonly inputShapes: readonly (readonly (number | null)[])[];
  /** Per input: why no scale is chosen for it; null: one is. */
  readonly asStored: readonly (AsStored | null)[];
  readonly outputShape: readonly number[];
  /** The chosen output's layer, as in LayerSummary. */
  readonly output: string;
  /** The model's loss is defined on logits: its output has no softmax or sigmoid, though it classifies (SessionSpec.fromLogits). */
  readonly fromLogits: boolean;
  /** Nothing but the data tells a regression from a classifier that gives logits (setupByData.ts). */
  readonly mayBeLogits: boolean;
  /** What was chosen on the user's behalf, one sentence each. */
  readonly notes: readonly string[];
}

/** Loss names of Keras 1-3 and TensorFlow.js, lower case without separators. Targets are one-hot here, so sparse is categorical. */
const LOSSES: Record<string, TrainingLoss> = {
  categoricalcrossentropy: 'categoricalCrossentropy',
  sparsecategoricalcrossentropy: 'categoricalCrossentropy',
  softmaxcrossentropy: 'categoricalCrossentropy',
  binarycrossentropy: 'binaryCrossentropy',
  sigmoidcrossentropy: 'binaryCrossentropy',
  meansquarederror: 'meanSquaredError',
  mse: 'meanSquaredError',
  meanabsoluteerror: 'meanAbsoluteError',
  mae: 'meanAbsoluteError',
  huber: 'huber',
  huberloss: 'huber',
};

interface NamedLoss {
  readonly name: string;
  readonly fromLogits: boolean;
}

/** `"mse"`, `{class_name, config}`, a list by position, or an object by output name. */
function lossOf(value: unknown, outputName: string, index: number): NamedLoss | null {
  if (typeof value === 'string') return { name: value, fromLogits: false };
  if (Array.isArray(value)) return lossOf((value as unknown[])[index], outputName, 0);
  if (!isObject(value)) return null;
  if (typeof value.class_name === 'string') {
    const config = isObject(value.config) ? value.config : {};
    // Keras 3 wraps plain functions: {class_name: "function", config: "mse"}.
    const name = typeof value.config === 'string' ? value.config : value.class_name;
    return { name, fromLogits: config.from_logits === true };
  }
  return lossOf(value[outputName] ?? value[outputName.split('/').at(-1)!], outputName, index);
}

const saysAccuracy = (metrics: unknown): boolean => metrics != null && /"[^"]*acc[^"]*"/i.test(JSON.stringify(metrics));

/** The activation of what a layer gives out; wrappers pass their layer's on. */
function activationOf(layer: LayerJson): string {
  if (layer.class_name === 'Softmax') return 'softmax';
  const inner = layer.config.layer;
  if (layer.class_name === 'TimeDistributed' && isLayerJson(inner)) return activationOf(inner);
  return stringAt(layer.config, 'activation') ?? 'linear';
}

function byActivation(activation: string): TrainingLoss {
  if (activation === 'softmax') return 'categoricalCrossentropy';
  return activation === 'sigmoid' ? 'binaryCrossentropy' : 'meanSquaredError';
}

/** Whether a layer, or what it wraps, has a setting of such a name. */
const hasSetting = (config: Record<string, unknown>, name: RegExp): boolean =>
  Object.entries(config).some(
    ([key, value]) =>
      (name.test(key) && value !== null && value !== undefined) ||
      (isLayerJson(value) && hasSetting(value.config, name)),
  );

/**
 * @param output name of the output's layer ("o1", "head/o1"); default the last output, which always trains.
 * @throws UserError('plan-invalid') on an unknown output, listing those there are; UserError('model-unsupported') on an open output shape.
 */
export function trainingSetup(
  model: Pick<Model, 'topology' | 'trainingConfig' | 'path'>,
  output?: string,
): TrainingSetup {
  const graph = modelGraph(model.topology);
  const names = graph.outputLayers;
  const notes: string[] = [];
  let index = names.length - 1;
  if (output !== undefined) {
    index = names.findIndex((name) => name === output || name.split('/').at(-1) === output);
    if (index < 0) {
      throw new UserError(
        'plan-invalid',
        `output: the model has no output "${output}"; it has ${names.map((n) => `"${n}"`).join(', ')}`,
        { field: 'output' },
      );
    }
  } else if (names.length > 1) {
    notes.push(`the model has ${names.length} outputs (${names.join(', ')}); the last one is trained on`);
  }
  const name = names[index]!;
  const having = (setting: RegExp): string =>
    graph.layers.filter(({ layer }) => hasSetting(layer.config, setting)).map(({ path }) => path).join(', ').slice(0, 200); // prettier-ignore
  const regularized = having(/^(?!activity).*_?regularizer$/i);
  if (regularized !== '')
    notes.push(`the model's own regularizers are part of the loss in training (${regularized}), beside training.weightDecay`); // prettier-ignore
  const left = having(/^activity_?regularizer$|_?constraint$/i);
  if (left !== '') notes.push(`activity regularizers and constraints take no part in training (${left})`);
  const shape = graph.outputShapes[index];
  if (!shape || shape.some((dim) => dim === null)) {
    throw new UserError(
      'model-unsupported',
      `${model.path}: the shape of output "${name}" is open; give the model's input a fixed shape`,
      { file: model.path, field: name },
    );
  }
  const outputShape = shape as readonly number[];
  const maker = graph.layers.find((node) => node.path === name);
  const activation = maker ? activationOf(maker.layer) : 'linear';
  const config = model.trainingConfig;
  const named = config ? lossOf(field(config, 'loss'), name, index) : null;
  const known = named ? own(LOSSES, named.name.replace(/[\s_]/g, '').toLowerCase()) : undefined;
  if (named && known === undefined) {
    notes.push(
      `the model's own loss "${named.name.slice(0, 60)}" is not available; ${byActivation(activation)} fits its output`,
    );
  }
  const loss = known ?? byActivation(activation);
  const crossEntropy = loss === 'categoricalCrossentropy' || loss === 'binaryCrossentropy';
  const several = outputShape.length > 0 && outputShape.at(-1)! > 1;
  const accuracy = config !== undefined && saysAccuracy(field(config, 'metrics'));
  const classification = crossEntropy || activation === 'softmax' || (several && accuracy);
  return {
    loss,
    classification,
    inputShapes: graph.inputShapes.map((input) => input ?? [null]),
    asStored: inputsAsStored(model.topology),
    outputShape,
    output: name,
    fromLogits: crossEntropy && (named?.fromLogits ?? false) && activation === 'linear',
    mayBeLogits: named === null && activation === 'linear' && several,
    notes,
  };
}
