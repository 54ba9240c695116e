/** All operations, by name. */
import { own, type Json } from '../layers/layerConfig.js';
import type { Shape } from '../layers/shape.js';
import { ARITHMETIC } from './arithmetic.js';
import { ARRANGEMENT } from './arrangement.js';
import { FUNCTIONS } from './functions.js';
import { isOperationConfig, type Operation, type OperationConfig } from './operation.js';
import { REDUCTIONS } from './reductions.js';
import { getItem } from './slicing.js';
import { softmax } from './softmax.js';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ARITHMETIC,
  ...FUNCTIONS,
  ...REDUCTIONS,
  ...ARRANGEMENT,
  softmax,
  getitem: getItem,
};

export const operationNamed = (name: string): Operation | undefined => own(OPERATIONS, name);

const entries = Object.entries(OPERATIONS);

/** @param className as in `keras.src.ops`. @returns the operation's name. */
export const operationOfKeras = (className: string): string | undefined =>
  entries.find(([, { keras, alsoKeras = [] }]) => keras.className === className || alsoKeras.includes(className))?.[0];

/** @param path of a function of TensorFlow: "math.reduce_mean". @returns the operation's name. */
export const operationOfTensorflow = (path: string): string | undefined =>
  entries.find(([, { tensorflow }]) => tensorflow.includes(path.split('.').at(-1)!))?.[0];

/** The operation of a layer of class Operation; null if its config is invalid. */
export function operationIn(config: Json): { readonly operation: Operation; readonly config: OperationConfig } | null {
  if (!isOperationConfig(config)) return null;
  const operation = operationNamed(config.operation);
  return operation ? { operation, config } : null;
}

/** The shape of an Operation layer's output. */
export function operationShape(config: Json, inputs: readonly (Shape | null)[]): Shape | null {
  const found = operationIn(config);
  return found && found.operation.shape(inputs, found.config);
}
