/**
 * A model's compile settings in the form of Keras 3 (3.15, keras.io/api) and the HDF5 readers of Keras 2: `compile` gets the file's values as
 * arguments, so one unknown name, class or key makes the whole file unreadable.
 */
import { field, isObject, own, type Json } from '../layers/layerConfig.js';
import { lossOf, metricsOf, ofOutput } from '../setup/compiledLoss.js';
import { flag, integer, number, share, text, type Kind } from './values.js';

/** Classes of one kind with the arguments that are kept. */
type Classes = Readonly<Record<string, Readonly<Record<string, Kind>>>>;

const REDUCTIONS = ['sum', 'sum_over_batch_size', 'none'];
const PER_LOSS: Record<string, Kind> = {
  name: text,
  reduction: (value) => (REDUCTIONS.includes(value as string) ? value : undefined),
};
const LOGITS: Record<string, Kind> = { from_logits: flag, label_smoothing: share, axis: integer };
const LOSSES: Classes = {
  MeanSquaredError: {},
  MeanAbsoluteError: {},
  MeanAbsolutePercentageError: {},
  MeanSquaredLogarithmicError: {},
  CosineSimilarity: { axis: integer },
  Huber: { delta: number },
  LogCosh: {},
  Hinge: {},
  SquaredHinge: {},
  CategoricalHinge: {},
  KLDivergence: {},
  Poisson: {},
  BinaryCrossentropy: LOGITS,
  BinaryFocalCrossentropy: { ...LOGITS, apply_class_balancing: flag, alpha: number, gamma: number },
  CategoricalCrossentropy: LOGITS,
  SparseCategoricalCrossentropy: { from_logits: flag, ignore_class: integer },
};
const METRICS: Classes = {
  ...Object.fromEntries(Object.keys(LOSSES).filter((name) => !/Huber|Focal/.test(name)).map((name) => [name, {}])),
  BinaryAccuracy: { threshold: number },
  CategoricalAccuracy: {},
  SparseCategoricalAccuracy: {},
  TopKCategoricalAccuracy: { k: integer },
  SparseTopKCategoricalAccuracy: { k: integer },
  RootMeanSquaredError: {},
  AUC: { num_thresholds: integer, curve: text, from_logits: flag, multi_label: flag },
  Precision: { thresholds: number, top_k: integer, class_id: integer },
  Recall: { thresholds: number, top_k: integer, class_id: integer },
}; // prettier-ignore
const MOMENTS: Record<string, Kind> = { beta_1: number, beta_2: number, epsilon: number };
const OPTIMIZERS: Classes = {
  SGD: { momentum: number, nesterov: flag },
  RMSprop: { rho: number, momentum: number, epsilon: number, centered: flag },
  Adam: { ...MOMENTS, amsgrad: flag },
  AdamW: { ...MOMENTS, amsgrad: flag, weight_decay: number },
  Nadam: MOMENTS,
  Adamax: MOMENTS,
  Adagrad: { initial_accumulator_value: number, epsilon: number },
  Adadelta: { rho: number, epsilon: number },
};

/** Short and old names, without separators, and their classes. */
const ALIASES: Readonly<Record<string, string>> = {
  mse: 'MeanSquaredError',
  mae: 'MeanAbsoluteError',
  mape: 'MeanAbsolutePercentageError',
  msle: 'MeanSquaredLogarithmicError',
  kld: 'KLDivergence',
  kullbackleiblerdivergence: 'KLDivergence',
  bce: 'BinaryCrossentropy',
  logcosh: 'LogCosh',
  huberloss: 'Huber',
  cosineproximity: 'CosineSimilarity',
  softmaxcrossentropy: 'CategoricalCrossentropy',
  sigmoidcrossentropy: 'BinaryCrossentropy',
};
/** `compile` chooses their meaning by the output and the loss. */
const CHOSEN_BY_OUTPUT = new Set(['accuracy', 'acc', 'crossentropy', 'ce']);

const plain = (name: string): string => name.replace(/[\s_]/g, '').toLowerCase();
const snake = (name: string): string =>
  name
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();

const classOf = (name: string, classes: Classes): string | null => {
  const found = own(ALIASES, plain(name)) ?? Object.keys(classes).find((one) => plain(one) === plain(name));
  return found !== undefined && found in classes ? found : null;
};

/** The arguments of a class that a config has; keys of TensorFlow.js (beta1, learningRate) as Keras spells them. */
function argumentsOf(config: Json, kinds: Readonly<Record<string, Kind>>): Json {
  const { fn_kwargs: inner, ...rest } = config;
  const entries = Object.entries({ ...rest, ...(isObject(inner) ? inner : {}) }).flatMap(([key, value]) => {
    const name = snake(key).replace(/^beta([12])$/, 'beta_$1').replace(/^lr$/, 'learning_rate');
    const kept = value === null || value === undefined ? undefined : own(kinds, name)?.(value);
    return kept === undefined ? [] : [[name, kept] as const];
  }); // prettier-ignore
  return Object.fromEntries(entries);
}

const object = (kind: string, className: string, config: Json): Json => ({
  module: `keras.${kind}`,
  class_name: className,
  config,
  registered_name: null,
});

/** A name alone if there are no settings. */
function named(kind: string, className: string, config: Json): unknown {
  const { name: _name, ...settings } = config;
  return Object.keys(settings).length === 0 ? snake(className) : object(kind, className, config);
}

/** undefined: a loss that Keras does not have. */
function lossIn(value: unknown): unknown {
  const loss = lossOf(value);
  if (!loss) return undefined;
  const className = classOf(loss.name, LOSSES);
  if (className === null) return undefined;
  return named('losses', className, argumentsOf(loss.config ?? {}, { ...PER_LOSS, ...LOSSES[className] }));
}

function metricIn(value: unknown): unknown {
  if (typeof value === 'string' && CHOSEN_BY_OUTPUT.has(value)) return value;
  const metric = lossOf(value);
  const className = metric && classOf(metric.name, METRICS);
  if (!metric || !className) return undefined;
  return named('metrics', className, argumentsOf(metric.config ?? {}, { name: text, ...METRICS[className] }));
}

/** An optimizer whose rate is a number; null: another, or none. */
function optimizerIn(training: Json): { className: string; config: Json } | null {
  const found = training.optimizer ?? training.optimizer_config;
  const named = typeof found === 'string' ? { class_name: found, config: {} } : found;
  if (!isObject(named) || typeof named.class_name !== 'string') return null;
  const className = classOf(named.class_name.replace(/^.*>/, '').replace(/optimizer$/i, ''), OPTIMIZERS);
  if (className === null) return null;
  const config = argumentsOf(isObject(named.config) ? named.config : {}, { learning_rate: number, ...OPTIMIZERS[className] });
  // Keras accepts only floats, and JSON writes 1.0 as 1.
  const { learning_rate: rate } = config;
  if (rate === undefined ? typeof found !== 'string' : Number.isInteger(rate)) return null;
  return { className, config };
} // prettier-ignore

export interface CompileConfig {
  /** As `compile_config` of the native format. */
  readonly native: Json;
  /** As `training_config` of HDF5. */
  readonly h5: Json;
}

/**
 * @param training of the model's file, of any generation.
 * @param outputs the model's, as `ModelGraph.outputLayers`; with several, losses and metrics are lists in their order.
 * @param keras3 whether Keras 3 wrote `training` (the meaning of a flat list of metrics depends on it).
 * @returns null if the file names no loss, or one that Keras does not have.
 */
export function compileConfig(training: Json, outputs: readonly string[], keras3: boolean): CompileConfig | null {
  const several = outputs.length > 1;
  const losses = outputs.map((_, i) => lossIn(ofOutput(field(training, 'loss'), outputs, i)));
  if (losses.some((loss) => loss === undefined)) return null;
  const weights = outputs.map((_, i) => ofOutput(field(training, 'loss_weights'), outputs, i));
  const metrics = outputs.map((_, i) => {
    const own = metricsOf(field(training, 'metrics'), outputs, i, keras3);
    return (Array.isArray(own) ? (own as unknown[]).flat() : own == null ? [] : [own]).map(metricIn).filter((metric) => metric !== undefined);
  }); // prettier-ignore
  const settings = {
    loss: several ? losses : losses[0],
    loss_weights: several && weights.every((weight) => typeof weight === 'number') ? weights : null,
    metrics: metrics.every((list) => list.length === 0) ? null : several ? metrics : metrics[0],
    weighted_metrics: null,
  };
  const optimizer = optimizerIn(training) ?? { className: 'RMSprop', config: {} };
  return {
    native: { optimizer: object('optimizers', optimizer.className, optimizer.config), ...settings },
    h5: { optimizer_config: { class_name: optimizer.className, config: optimizer.config }, ...settings },
  };
}
