/** The training setup of a model: its loss and the shapes of its data, from its own training config or else from its output. */
import { UserError } from '../../protocol/errors.js';
import { field, isLayerJson, isObject, own, stringAt, type Json, type LayerJson } from '../layers/layerConfig.js';
import { inputsAsStored, type AsStored } from './inputsAsStored.js';
import { modelGraph } from '../layers/layerGraph.js';
import { absorbedHead, type Loss } from './loss.js';
import { lossSettings, type LossSettings } from './lossSettings.js';
import type { Model } from '../model.js';

export interface TrainingSetup {
  readonly loss: Loss;
  readonly lossSettings: LossSettings;
  /** Error is the fraction of wrong samples; targets are one-hot (or 0/1 for a single output). */
  readonly classification: boolean;
  readonly inputNames: readonly string[];
  /** Paths of the layers of all outputs. */
  readonly outputNames: readonly string[];
  /** Of one sample, per input; null sizes are open. */
  readonly inputShapes: readonly (readonly (number | null)[])[];
  /** Per input: why no scale is chosen for it; null: one is. */
  readonly asStored: readonly (AsStored | null)[];
  readonly outputShape: readonly number[];
  /** The chosen output's layer, as in LayerSummary. */
  readonly output: string;
  /** The model's loss is defined on logits: its output has no softmax or sigmoid although it classifies (SessionSpec.fromLogits). */
  readonly fromLogits: boolean;
  /** Only the data distinguishes a regression from a classifier with logits (setupByData.ts). */
  readonly mayBeLogits: boolean;
  /** The file's loss weight and settings of the output; null: no supported loss. */
  readonly inFile: { readonly lossWeight: number } | null;
  /** What was chosen on the user's behalf, one sentence each. */
  readonly notes: readonly string[];
}

/** Loss names of Keras 1-3 and TensorFlow.js, lower case without separators. Targets are one-hot here, so sparse is categorical. */
const LOSSES: Record<string, Loss> = {
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
  logcosh: 'logCosh',
  poisson: 'poisson',
  kullbackleiblerdivergence: 'kullbackLeiblerDivergence',
  kldivergence: 'kullbackLeiblerDivergence',
  kld: 'kullbackLeiblerDivergence',
  meanabsolutepercentageerror: 'meanAbsolutePercentageError',
  mape: 'meanAbsolutePercentageError',
  meansquaredlogarithmicerror: 'meanSquaredLogarithmicError',
  msle: 'meanSquaredLogarithmicError',
};

/** The entry of a compile config for one of several outputs: a list by position, an object by output name, or one for all. */
export function ofOutput(value: unknown, outputs: readonly string[], index: number): unknown {
  if (Array.isArray(value)) return (value as unknown[])[index];
  if (!isObject(value) || typeof value.class_name === 'string') return value;
  // Keras names an output after the layer of the outermost model; the layer that makes it may lie deeper.
  const keysOf = (output: string) => [output, output.split('/').at(-1)!, output.split('/')[0]!];
  const key = keysOf(outputs[index]!).find((name) => name in value);
  if (key !== undefined) return value[key];
  // A model whose outputs are an object has its own names for them, in its order.
  const values = Object.values(value);
  const foreign = values.length === outputs.length && !outputs.flatMap(keysOf).some((name) => name in value);
  return foreign ? values[index] : undefined;
}

/** A flat list of metrics applies to every output; in Keras 3 one to each, if there are as many. */
export function metricsOf(value: unknown, outputs: readonly string[], index: number, keras3: boolean): unknown {
  if (!Array.isArray(value)) return ofOutput(value, outputs, index);
  const list = value as unknown[];
  const byPosition = list.some((one) => one === null || Array.isArray(one)) || (keras3 && outputs.length > 1 && list.length === outputs.length); // prettier-ignore
  return byPosition ? list[index] : list;
}

interface NamedLoss {
  readonly name: string;
  readonly config: Json | null;
  readonly fromLogits: boolean;
}

/** `"mse"` or `{class_name, config}`. */
export function lossOf(value: unknown): NamedLoss | null {
  if (typeof value === 'string') return { name: value, config: null, fromLogits: false };
  if (Array.isArray(value) && value.length === 1) return lossOf((value as unknown[])[0]);
  if (!isObject(value) || typeof value.class_name !== 'string') return null;
  const config = isObject(value.config) ? value.config : {};
  // Keras 3 wraps plain functions: {class_name: "function", config: "mse"}.
  const name = typeof value.config === 'string' ? value.config : value.class_name;
  const inner = isObject(config.fn_kwargs) ? config.fn_kwargs : {};
  return { name, config, fromLogits: (config.from_logits ?? inner.from_logits) === true };
}

const saysAccuracy = (metrics: unknown): boolean => metrics != null && /"[^"]*acc[^"]*"/i.test(JSON.stringify(metrics));

/** The activation of a layer's output; wrappers have that of their inner layer. */
function activationOf(layer: LayerJson): string {
  if (layer.class_name === 'Softmax') return 'softmax';
  const inner = layer.config.layer;
  if (layer.class_name === 'TimeDistributed' && isLayerJson(inner)) return activationOf(inner);
  return stringAt(layer.config, 'activation') ?? 'linear';
}

function byActivation(activation: string): Loss {
  if (activation === 'softmax') return 'categoricalCrossentropy';
  return activation === 'sigmoid' ? 'binaryCrossentropy' : 'meanSquaredError';
}

/** Whether a layer, or an inner one, has a setting of such a name. */
const hasSetting = (config: Record<string, unknown>, name: RegExp): boolean =>
  Object.entries(config).some(
    ([key, value]) =>
      (name.test(key) && value !== null && value !== undefined) ||
      (isLayerJson(value) && hasSetting(value.config, name)),
  );

/**
 * The output of a model with a given name: its layer's path ("head/o1") or the last part of it.
 * @param outputs as `ModelGraph.outputLayers`. @returns -1 if there is none of that name; the last without a name.
 */
export function outputIndex(outputs: readonly string[], output: string | undefined): number {
  if (output === undefined) return outputs.length - 1;
  const exact = outputs.indexOf(output);
  return exact >= 0 ? exact : outputs.findIndex((name) => name.split('/').at(-1) === output);
}

/** The loss of one of the outputs in a compile config, and its name without separators; null if there is none. */
function compiledLoss(config: Json | undefined, outputs: readonly string[], index: number) {
  const named = config ? lossOf(ofOutput(field(config, 'loss'), outputs, index)) : null;
  const plainName = named?.name.replace(/[\s_]/g, '').toLowerCase() ?? '';
  return named && { named, plainName, known: own(LOSSES, plainName) };
}

/**
 * A file's settings for an output in the joint training: the factor of its loss in the sum, Keras's `loss_weights`, by default 1.
 * @returns null if it has no loss for the output, or an unsupported one.
 */
export function lossInFile(
  config: Json | undefined,
  outputs: readonly string[],
  index: number,
): TrainingSetup['inFile'] {
  if (compiledLoss(config, outputs, index)?.known === undefined) return null;
  const weight = ofOutput(field(config!, 'loss_weights'), outputs, index) ?? 1;
  return typeof weight === 'number' && Number.isFinite(weight) && weight >= 0 ? { lossWeight: weight } : null;
}

/**
 * @param output name of the output's layer ("o1", "head/o1"); default the last output, which always trains.
 * @throws UserError('plan-invalid') on an unknown output, listing those there are; UserError('model-unsupported') on an open output shape.
 */
export function trainingSetup(
  model: Pick<Model, 'topology' | 'trainingConfig' | 'path'> & Partial<Pick<Model, 'format'>>,
  output?: string,
): TrainingSetup {
  const graph = modelGraph(model.topology);
  const names = graph.outputLayers;
  const notes: string[] = [];
  const index = outputIndex(names, output);
  if (index < 0) {
    throw new UserError(
      'plan-invalid',
      `output: the model has no output "${output}"; it has ${names.map((n) => `"${n}"`).join(', ')}`,
      { field: 'output' },
    );
  }
  if (output === undefined && names.length > 1) {
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
  const { named, plainName, known } = compiledLoss(config, names, index) ?? { named: null, plainName: '' };
  if (named && known === undefined) {
    notes.push(
      `the model's own loss "${named.name.slice(0, 60)}" is not available; ${byActivation(activation)} fits its output`,
    );
  }
  const loss = known ?? byActivation(activation);
  const { settings, ignored } = lossSettings(
    loss,
    plainName.startsWith('sparse'),
    known === undefined ? null : named!.config,
    outputShape.length + 1,
  );
  if (ignored.length > 0) notes.push(`the loss is computed without what the file sets of it: ${ignored.join(', ')}`);
  const absorbed = absorbedHead(loss);
  const crossEntropy = absorbed !== 'none';
  const several = outputShape.length > 0 && outputShape.at(-1)! > 1;
  const accuracy = config !== undefined && saysAccuracy(metricsOf(field(config, 'metrics'), names, index, model.format === 'keras-v3')); // prettier-ignore
  const classification =
    crossEntropy || activation === 'softmax' || ((several || activation === 'sigmoid') && accuracy);
  const ofLogits = crossEntropy && (named?.fromLogits ?? false);
  if (ofLogits && activation === absorbed)
    notes.push(`the file's loss takes logits, but output "${name}" is a ${absorbed}: the loss is computed on what goes into the ${absorbed}, as Keras does on TensorFlow`); // prettier-ignore
  return {
    loss,
    lossSettings: settings,
    classification,
    inputNames: graph.inputNames,
    outputNames: names,
    inputShapes: graph.inputShapes.map((input) => input ?? [null]),
    asStored: inputsAsStored(model.topology),
    outputShape,
    output: name,
    // Keras too computes a loss that includes the activation on the logits.
    fromLogits: ofLogits && activation !== absorbed,
    inFile: lossInFile(config, names, index),
    mayBeLogits: named === null && activation === 'linear' && several,
    notes,
  };
}
