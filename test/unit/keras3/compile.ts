/** The arguments that `Model.compile` of Keras 3.15 reads from a file: `compile_from_config` of `.keras`, `compile_args_from_training_config` of `.h5`. */
import { isObject, refuse, type Json } from './config.js';

/** Names of functions, and classes with the arguments of their constructors (keras.io/api/losses, metrics, optimizers). */
const LOSS_NAMES = new Set('mse mean_squared_error mae mean_absolute_error mape mean_absolute_percentage_error msle mean_squared_logarithmic_error cosine_similarity huber log_cosh hinge squared_hinge categorical_hinge kl_divergence kld poisson bce binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy sparse_categorical_crossentropy'.split(' ')); // prettier-ignore
const METRIC_NAMES = new Set([...LOSS_NAMES, ...'accuracy acc crossentropy ce binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy sparse_top_k_categorical_accuracy root_mean_squared_error auc precision recall'.split(' ')]); // prettier-ignore
const LOSSES: Record<string, readonly string[]> = {
  MeanSquaredError: [],
  MeanAbsoluteError: [],
  Huber: ['delta'],
  BinaryCrossentropy: ['from_logits', 'label_smoothing', 'axis'],
  CategoricalCrossentropy: ['from_logits', 'label_smoothing', 'axis'],
  SparseCategoricalCrossentropy: ['ignore_class', 'from_logits', 'axis'],
};
const METRICS: Record<string, readonly string[]> = {
  TopKCategoricalAccuracy: ['k'],
  AUC: ['num_thresholds', 'curve', 'summation_method', 'thresholds', 'multi_label', 'num_labels', 'label_weights', 'from_logits'], // prettier-ignore
};
const BASE = 'learning_rate weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name'.split(' '); // prettier-ignore
const OPTIMIZERS: Record<string, readonly string[]> = {
  SGD: ['momentum', 'nesterov'],
  RMSprop: ['rho', 'momentum', 'epsilon', 'centered'],
  Adam: ['beta_1', 'beta_2', 'epsilon', 'amsgrad'],
  AdamW: ['beta_1', 'beta_2', 'epsilon', 'amsgrad'],
};
const COMPILE = 'optimizer loss loss_weights metrics weighted_metrics run_eagerly steps_per_execution jit_compile auto_scale_loss'.split(' '); // prettier-ignore

const leaves = (value: unknown): unknown[] =>
  Array.isArray(value) ? value.flatMap(leaves) : isObject(value) && typeof value.class_name !== 'string' ? Object.values(value).flatMap(leaves) : value === null || value === undefined ? [] : [value]; // prettier-ignore

function checkObject(where: string, value: unknown, names: ReadonlySet<string>, classes: Record<string, readonly string[]>, common: readonly string[]): void {
  if (typeof value === 'string') return names.has(value) ? undefined : refuse(where, `Could not interpret ${value}`);
  if (!isObject(value) || !isObject(value.config)) return refuse(where, `${JSON.stringify(value)} is no object`);
  if (typeof value.module !== 'string') refuse(where, 'has no module');
  const known = classes[value.class_name as string] ?? refuse(where, `Could not locate class '${String(value.class_name)}'`);
  for (const key of Object.keys(value.config))
    if (![...known, ...common].includes(key)) refuse(where, `got an unexpected keyword argument '${key}'`);
} // prettier-ignore

function checkSettings(config: Json, outputs: number): void {
  for (const loss of leaves(config.loss)) checkObject('loss', loss, LOSS_NAMES, LOSSES, ['name', 'reduction', 'dtype']);
  for (const metric of [...leaves(config.metrics), ...leaves(config.weighted_metrics)])
    checkObject('metrics', metric, METRIC_NAMES, METRICS, ['name', 'dtype']);
  for (const key of ['loss', 'loss_weights', 'metrics']) {
    const list = config[key];
    if (outputs > 1 && Array.isArray(list) && list.length !== outputs)
      refuse(key, `has ${list.length} entries for ${outputs} outputs`);
  }
  if (outputs === 1 && config.loss_weights != null && !(typeof config.loss_weights === 'number' && !Number.isInteger(config.loss_weights)))
    refuse('loss_weights', 'must be a Python float'); // prettier-ignore
}

function checkRate(config: unknown): void {
  const rate = isObject(config) ? config.learning_rate : undefined;
  // A number without a fraction is an int in Python.
  if (rate !== undefined && !isObject(rate) && (typeof rate !== 'number' || Number.isInteger(rate)))
    refuse('optimizer', 'Argument `learning_rate` should be float');
}

/** @param outputs how many the model has. @throws Keras3Error */
export function checkCompileConfig(config: unknown, outputs: number): void {
  if (config === undefined || config === null) return;
  if (!isObject(config)) return refuse('compile_config', 'is no object');
  for (const key of Object.keys(config))
    if (!COMPILE.includes(key)) refuse('compile_config', `compile() got an unexpected keyword argument '${key}'`);
  if (config.optimizer != null && typeof config.optimizer !== 'string') {
    checkObject('optimizer', config.optimizer, new Set(), OPTIMIZERS, BASE);
    checkRate((config.optimizer as Json).config);
  }
  checkSettings(config, outputs);
}

/** As `checkCompileConfig`, for HDF5. */
export function checkTrainingConfig(config: unknown, outputs: number): void {
  if (!isObject(config)) return refuse('training_config', 'is no object');
  for (const key of ['optimizer_config', 'loss_weights']) if (!(key in config)) refuse('training_config', `KeyError: '${key}'`); // prettier-ignore
  const optimizer = config.optimizer_config as Json;
  checkObject('optimizer', { module: 'keras.optimizers', ...optimizer }, new Set(), OPTIMIZERS, [...BASE, 'decay']);
  checkRate(optimizer.config);
  checkSettings(config, outputs);
}
