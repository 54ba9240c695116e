/**
 * Kinds of argument values of Keras 3's constructors, each with its own form: different spellings of TensorFlow.js, Keras 2 and Keras 3 become that
 * of Keras 3.
 */
import { OWN_ACTIVATIONS } from '../layerClasses/activations/ownActivations.js';
import { isObject, own, type Json } from '../layers/layerConfig.js';

/** A value that stands for another object: written by the caller, for the HDF5 and the native format alike. */
export class KerasObject {
  constructor(
    /** The end of its module's name: `keras.regularizers`. */
    readonly module: 'regularizers' | 'constraints',
    readonly className: string,
    readonly config: Json,
  ) {}
}

/** A value in the form of Keras 3; undefined: invalid. Never called with null. */
export type Kind = (value: unknown) => unknown;

/** "channelsFirst" (early TensorFlow.js) -> "channels_first". */
export const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isInteger = (value: unknown): value is number => Number.isInteger(value);
const listOf =
  (item: (value: unknown) => boolean, length?: number): Kind =>
  (value) =>
    Array.isArray(value) && (length === undefined || value.length === length) && value.every(item) ? value : undefined;

export const integer: Kind = (value) => (isInteger(value) ? value : undefined);
export const positive: Kind = (value) => (isInteger(value) && value > 0 ? value : undefined);
export const number: Kind = (value) => (isNumber(value) ? value : undefined);
export const nonNegative: Kind = (value) => (isNumber(value) && value >= 0 ? value : undefined);
export const flag: Kind = (value) =>
  typeof value === 'boolean' ? value : value === 0 || value === 1 ? value === 1 : undefined;
export const text: Kind = (value) => (typeof value === 'string' ? value : undefined);
export const anything: Kind = (value) => value;
/** TensorFlow.js clips a share to 0..1. */
export const share: Kind = (value) => (isNumber(value) ? Math.min(Math.max(value, 0), 1) : undefined);
/** GaussianNoise of Keras 3 accepts at most 1. */
export const deviation: Kind = (value) => (isNumber(value) && value >= 0 && value <= 1 ? value : undefined);

export const oneOf =
  (...choices: readonly string[]): Kind =>
  (value) => {
    const name = typeof value === 'string' ? snake(value) : '';
    return choices.includes(name) ? name : undefined;
  };

/** One number for all, or `n` of them; positive. */
export const sizes =
  (n: number): Kind =>
  (value) => {
    if (positive(value) !== undefined) return value;
    if (!Array.isArray(value) || !value.every((item) => positive(item) !== undefined)) return undefined;
    return value.length === n || n === 0 ? value : value.length === 1 ? (value as unknown[])[0] : undefined;
  };

/** One number for all, or `n` of them; from 0. */
export const naturals =
  (n: number): Kind =>
  (value) => {
    const natural = (item: unknown): boolean => isInteger(item) && item >= 0;
    return natural(value) ? value : listOf(natural, n)(value);
  };

export const axis: Kind = (value) => integer(value) ?? listOf(isInteger)(value);
export const integers = listOf(isInteger);
/** A number, or one for each position along an axis. */
export const numbers: Kind = (value) => number(value) ?? listOf(isNumber)(value);
/** Reshape: an open size is -1. */
export const targetShape: Kind = (value) =>
  Array.isArray(value) ? integers((value as unknown[]).map((size) => size ?? -1)) : undefined;
/** Dropout: null is the size of the input. */
export const noiseShape = listOf((size) => size === null || isInteger(size));

/** A number, one for each axis, or a pair for each axis. */
export const borders =
  (n: number): Kind =>
  (value) => {
    const size = (item: unknown): boolean => isInteger(item) && item >= 0;
    if (size(value)) return value;
    const pair = (item: unknown): boolean => Array.isArray(item) && item.length === 2 && item.every(size);
    if (n === 1) return listOf(size, 2)(value);
    return listOf(size, n)(value) ?? listOf(pair, n)(value);
  };

const ACTIVATIONS: ReadonlySet<string> = new Set([
  'elu', 'selu', 'relu', 'relu6', 'linear', 'sigmoid', 'hard_sigmoid', 'softplus', 'softsign', 'tanh', 'softmax', 'log_softmax',
  'gelu', 'mish', 'swish', 'silu', 'leaky_relu', ...Object.keys(OWN_ACTIVATIONS),
]); // prettier-ignore

/** By name: the functions that every generation computes alike (except hard_sigmoid, see hardSigmoid.ts). */
export const activation: Kind = (value) => {
  const name = typeof value === 'string' ? snake(value) : '';
  return ACTIVATIONS.has(name) ? name : undefined;
};

/** `{class_name, config}` or a name, with the config's keys in snake_case. */
function named(value: unknown): { name: string; config: Json } | null {
  if (typeof value === 'string') return { name: snake(value), config: {} };
  if (!isObject(value) || typeof value.class_name !== 'string') return null;
  const config = isObject(value.config) ? value.config : {};
  return {
    name: snake(value.class_name),
    config: Object.fromEntries(Object.entries(config).map(([key, item]) => [snake(key), item])),
  };
}

/** The config that a name alone means in Keras 2, TensorFlow.js and Keras 3. */
const NAMED_STRENGTH = 0.01;

export const regularizer: Kind = (value) => {
  const given = named(value);
  const name = given?.name.replaceAll('_', '');
  if (!given || (name !== 'l1' && name !== 'l2' && name !== 'l1l2')) return undefined;
  const absent = typeof value === 'string' ? NAMED_STRENGTH : 0;
  const strength = (key: 'l1' | 'l2'): unknown =>
    name === key || name === 'l1l2' ? nonNegative(given.config[key] ?? absent) : 0;
  const [l1, l2] = [strength('l1'), strength('l2')];
  return l1 === undefined || l2 === undefined ? undefined : new KerasObject('regularizers', 'L1L2', { l1, l2 });
};

const single: Kind = (value) => (Array.isArray(value) && value.length === 1 ? integer(value[0]) : axis(value));
const CONSTRAINTS: Readonly<Record<string, readonly [className: string, Readonly<Record<string, Kind>>]>> = {
  max_norm: ['MaxNorm', { max_value: number, axis: single }],
  unit_norm: ['UnitNorm', { axis: single }],
  non_neg: ['NonNeg', {}],
  min_max_norm: ['MinMaxNorm', { min_value: number, max_value: number, rate: number, axis: single }],
};

export const constraint: Kind = (value) => {
  const given = named(value);
  const known = given && own(CONSTRAINTS, given.name);
  if (!known) return undefined;
  const config: Json = {};
  for (const [key, kind] of Object.entries(known[1])) {
    if (given.config[key] == null) continue;
    config[key] = kind(given.config[key]);
    if (config[key] === undefined) return undefined;
  }
  return new KerasObject('constraints', known[0], config);
};
