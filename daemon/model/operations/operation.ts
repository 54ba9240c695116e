/**
 * Operations of Keras 3 and of TensorFlow that a model contains like layers (`2 * x`, `x[:, 1:]`, `ops.mean(x)`). Each is one entry of a table: its
 * spelling in files, its shape, its computation, and the equivalent layer if there is one.
 */
import type * as Core from '@tensorflow/tfjs-core';
import { isObject, type Json, type LayerJson } from '../layers/layerConfig.js';
import type { Refuse } from '../layers/refuse.js';
import type { Shape } from '../layers/shape.js';

/** The class of such a layer in a topology. */
export const OPERATION = 'Operation';

/** The config of a layer of that class. */
export interface OperationConfig {
  readonly name: string;
  /** The name of an entry. TensorFlow.js turns "one_two" into "oneTwo" in values and keys: neither has underscores. */
  readonly operation: string;
  /** Its operands in order: a number, or null for the next tensor of the wiring. */
  readonly operands: readonly (number | null)[];
  /** Its further arguments: `axis`, `keepdims`, ... Axes count the batch, as in Keras. */
  readonly settings: Json;
}

/** A class of Keras 3: in `keras.src.ops.<module>`. */
export interface KerasClass {
  readonly module: 'numpy' | 'nn' | 'core' | 'math';
  readonly className: string;
}

export interface Operation {
  /** Its spelling for Keras 3; synonyms are read, too. */
  readonly keras: KerasClass;
  readonly alsoKeras?: readonly string[];
  /** Last names of functions of TensorFlow ("math.reduce_mean" -> "reduce_mean"). */
  readonly tensorflow: readonly string[];
  /** Number of operands; null: any number of tensors, in a list. */
  readonly arity: 1 | 2 | null;
  /** Its settings, from a file's: those of Keras 3's constructor, or TensorFlow's arguments. */
  settings(given: Json, refuse: Refuse): Json;
  /** Settings with another name in Keras 3. */
  readonly kerasNames?: Readonly<Record<string, string>>;
  /** Settings that Keras 3 takes as arguments of the call, after the operands; the others go to the constructor. */
  readonly calledWith?: readonly string[];
  /** Of one sample. null: unknown, or impossible. */
  shape(inputs: readonly (Shape | null)[], config: OperationConfig): Shape | null;
  /** @param operands tensors with the batch axis in front, and numbers as scalars. */
  compute(tf: typeof Core, operands: readonly Core.Tensor[], settings: Json): Core.Tensor;
  /** The equivalent layer of TensorFlow.js and Keras for inputs of these shapes; null: there is none. */
  asLayer?(config: OperationConfig, inputs: readonly Shape[]): Omit<LayerJson, 'name' | 'inbound_nodes'> | null;
}

export const noSettings = (): Json => ({});

/** Whether all sizes are known. */
export const isClosed = (shape: Shape): shape is number[] => shape.every((n) => n !== null);

export const isOperationConfig = (config: unknown): config is OperationConfig & Json =>
  isObject(config) &&
  typeof config.operation === 'string' &&
  Array.isArray(config.operands) &&
  (config.operands as unknown[]).every((one) => one === null || typeof one === 'number') &&
  isObject(config.settings);

/** All operands must be tensors. */
export const onlyTensors = ({ operands }: OperationConfig): boolean => operands.every((one) => one === null);
