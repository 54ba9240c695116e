/** Tensors in the arguments of a call, as Keras 3 writes them (serialization_lib.py). */
import { isObject } from '../layers/layerConfig.js';
import { tensorRef, type TensorRef } from '../layers/layerGraph.js';

/** `{class_name: "__keras_tensor__", config: {keras_history: [layer, node, tensor]}}`; null for anything else. */
export const kerasTensor = (value: unknown): TensorRef | null =>
  isObject(value) && isObject(value.config) ? tensorRef(value.config.keras_history) : null;

/** Every tensor in `args`, lists flattened in order. */
export function kerasTensorsIn(value: unknown): TensorRef[] {
  const tensor = kerasTensor(value);
  if (tensor) return [tensor];
  return Array.isArray(value) ? (value as unknown[]).flatMap(kerasTensorsIn) : [];
}
