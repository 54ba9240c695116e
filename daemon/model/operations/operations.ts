/** All operations, by name. */
import { own, type Json } from '../layerConfig.js';
import type { Shape } from '../spatialShapes.js';
import { ARITHMETIC } from './arithmetic.js';
import { ARRANGEMENT } from './arrangement.js';
import { FUNCTIONS } from './functions.js';
import { isOperationConfig, type Operation } from './operation.js';
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

/** The shape of an Operation layer's output. */
export function operationShape(config: Json, inputs: readonly (Shape | null)[]): Shape | null {
  if (!isOperationConfig(config)) return null;
  return operationNamed(config.operation)?.shape(inputs, config) ?? null;
}
