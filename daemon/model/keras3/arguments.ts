/**
 * The form of the arguments of Keras 3's layers (3.15, keras.io/api/layers) in model files; each class's own are in its record (layerClasses).
 * Initializers are always Keras's defaults: a trained model's values come from the file, and every generation has its own names, keys and faults of
 * initializers. Regularizers and constraints are part of training and are kept.
 */
import {
  activation, anything, constraint, flag, nonNegative, oneOf, positive, regularizer, sizes, text, type Kind,
} from './values.js'; // prettier-ignore

export interface Argument {
  readonly kind: Kind;
  /** Written if a file has none or null: TensorFlow.js's default if Keras has another or none. */
  readonly absent?: unknown;
  /** The layer cannot be made without it. */
  readonly required?: true;
  /** null is a value of its own. */
  readonly nullable?: true;
}
export type Arguments = Readonly<Record<string, Argument>>;

export const optional = (kind: Kind): Argument => ({ kind });
export const required = (kind: Kind): Argument => ({ kind, required: true });
export const or = (kind: Kind, absent: unknown): Argument => ({ kind, absent });

export const all = (names: readonly string[], kind: Kind): Arguments =>
  Object.fromEntries(names.map((name) => [name, optional(kind)]));
/** By the name of a weight; glorot_uniform for every other. */
const INITIALIZERS: Readonly<Record<string, string>> = {
  recurrent: 'orthogonal', bias: 'zeros', beta: 'zeros', gamma: 'ones', alpha: 'zeros', embeddings: 'random_uniform',
}; // prettier-ignore
const initializer = (name: string): Argument => {
  const own = INITIALIZERS[name] ?? 'glorot_uniform';
  return or(() => own, own);
};
/** Initializers, regularizers and constraints of the named weights. */
export const weights = (...names: readonly string[]): Arguments => ({
  ...Object.fromEntries(names.map((name) => [`${name}_initializer`, initializer(name)])),
  ...all(names.map((name) => `${name}_regularizer`), regularizer),
  ...all(names.map((name) => `${name}_constraint`), constraint),
}); // prettier-ignore

/** Of every layer, but for spatial dropout. */
export const BASE: Arguments = {
  name: required(text),
  trainable: optional(flag),
  // Layers compute in float32; early files name the type of a layer's input here, Keras that of its weights.
  dtype: or(() => 'float32', 'float32'),
  activity_regularizer: optional(regularizer),
};
export const layer = (own: Arguments = {}): Arguments => ({ ...BASE, ...own });

/** Written explicitly, because a reader's default may differ. */
export const DATA_FORMAT: Arguments = { data_format: or(oneOf('channels_last', 'channels_first'), 'channels_last') };
export const BIAS: Arguments = { use_bias: optional(flag) };
export const linear = (kernel: string): Arguments => ({
  activation: optional(activation),
  ...BIAS,
  ...weights(kernel, 'bias'),
});
export const windows = (n: number, padding: Kind): Arguments => ({
  kernel_size: required(sizes(n)),
  strides: optional(sizes(n)),
  padding: optional(padding),
  dilation_rate: optional(sizes(n)),
  ...DATA_FORMAT,
});
export const SAME_OR_VALID = oneOf('valid', 'same');
export const FILTERS: Arguments = { filters: required(positive) };
/** A layer inside a wrapper. */
export const INNER = required(anything);
export const SCALED: Arguments = { center: optional(flag), scale: optional(flag), ...weights('beta', 'gamma') };
export const EPSILON: Arguments = { epsilon: optional(nonNegative) };
export const SEED: Arguments = { seed: optional(positive) };
