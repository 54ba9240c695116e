/** The losses that a file has of its outputs: its compile config, read for one output of several. */
import { field, isObject, own, type Json } from '../layers/layerConfig.js';
import type { Loss } from './loss.js';

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

/** What a compile config gives one of several outputs: a list by position, an object by output name, or one for all. */
export function ofOutput(value: unknown, outputs: readonly string[], index: number): unknown {
  if (Array.isArray(value)) return (value as unknown[])[index];
  if (!isObject(value) || typeof value.class_name === 'string') return value;
  // Keras names an output after the layer of the outermost model; the layer that makes it may lie deeper.
  const keysOf = (output: string) => [output, output.split('/').at(-1)!, output.split('/')[0]!];
  const key = keysOf(outputs[index]!).find((name) => name in value);
  if (key !== undefined) return value[key];
  // A model whose outputs are an object has names of its own for them, in its order.
  const values = Object.values(value);
  const foreign = values.length === outputs.length && !outputs.flatMap(keysOf).some((name) => name in value);
  return foreign ? values[index] : undefined;
}

/** A flat list of metrics is for every output; of Keras 3 one each, where there are as many. */
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

/**
 * Which of a model's outputs a name means: its layer's path ("head/o1") or the last name of it.
 * @param outputs as `ModelGraph.outputLayers`. @param otherwise place of the one that no name means; of layers the last.
 * @returns -1 where there is none of that name.
 */
export function outputIndex(
  outputs: readonly string[],
  output: string | undefined,
  otherwise = outputs.length - 1,
): number {
  if (output === undefined) return otherwise;
  const exact = outputs.indexOf(output);
  return exact >= 0 ? exact : outputs.findIndex((name) => name.split('/').at(-1) === output);
}

/** The loss that a compile config gives one of the outputs, and its name without separators; null where it gives none. */
export function compiledLoss(config: Json | undefined, outputs: readonly string[], index: number) {
  const named = config ? lossOf(ofOutput(field(config, 'loss'), outputs, index)) : null;
  const plainName = named?.name.replace(/[\s_]/g, '').toLowerCase() ?? '';
  return named && { named, plainName, known: own(LOSSES, plainName) };
}

/**
 * What a file has of an output's part in the training of all: the factor of its loss in their sum, Keras's `loss_weights`, by
 * default 1.
 * @returns null where it has no loss for the output, or one that is not known here.
 */
export function lossInFile(
  config: Json | undefined,
  outputs: readonly string[],
  index: number,
): { readonly lossWeight: number } | null {
  if (compiledLoss(config, outputs, index)?.known === undefined) return null;
  const weight = ofOutput(field(config!, 'loss_weights'), outputs, index) ?? 1;
  return typeof weight === 'number' && Number.isFinite(weight) && weight >= 0 ? { lossWeight: weight } : null;
}
