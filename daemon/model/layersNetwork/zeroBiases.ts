/** Biases of layers that have none: zeros while units are removed, and gone again if they are still zero afterwards. */
import { sizeOf } from '../../protocol/shape.js';
import { classOf } from '../layerClasses/registry.js';
import { usesBias } from '../layerClasses/rules/weights.js';
import { layerName, type Json } from '../layers/layerConfig.js';
import { modelGraph, type LayerNode } from '../layers/layerGraph.js';
import { layerWeights } from '../layers/layerWeights.js';
import type { LayersModel, WeightTensor } from '../model.js';

const keyOf = (config: Json): string => (config['useBias'] === undefined ? 'use_bias' : 'useBias');

/** A bias of zeros for a layer that thinning follows and that could have one; null for any other. */
function zeroBias({ layer, calls, weights }: LayerNode): WeightTensor | null {
  if (!classOf(layer.class_name)?.forward || usesBias(layer.config)) return null;
  const config = { ...layer.config, [keyOf(layer.config)]: true };
  const own = new Set(weights.map(({ name }) => name));
  const [spec, ...others] = layerWeights({ ...layer, config }, layerName(layer), calls[0]?.[0] ?? null).filter(({ name }) => !own.has(name)); // prettier-ignore
  if (!spec || others.length > 0 || spec.shape.includes(null)) return null;
  const shape = spec.shape as readonly number[];
  return { name: spec.name, shape, dtype: 'float32', data: new Float32Array(sizeOf(shape)) };
}

/** @returns null if every layer has its bias. */
export function withZeroBiases(model: LayersModel): LayersModel | null {
  const topology = structuredClone(model.topology);
  /** By the layer's last weight, which its bias follows. */
  const biases = new Map<string, WeightTensor>();
  for (const node of modelGraph(topology).layers) {
    const bias = zeroBias(node);
    const last = node.weights.at(-1);
    if (!bias || !last) continue;
    node.layer.config[keyOf(node.layer.config)] = true;
    biases.set(last.name, bias);
  }
  if (biases.size === 0) return null;
  const weights = model.weights.flatMap((weight) => [weight, ...(biases.has(weight.name) ? [biases.get(weight.name)!] : [])]); // prettier-ignore
  return { ...model, topology, weights };
}

/** @param before the model that had not all biases. */
export function withoutIdleBiases(model: LayersModel, before: LayersModel): LayersModel {
  const known = new Set(before.weights.map(({ name }) => name));
  const isIdle = ({ name, data }: WeightTensor): boolean => !known.has(name) && data.every((x) => x === 0);
  const idle = new Set(model.weights.filter(isIdle).map(({ name }) => name));
  const topology = structuredClone(model.topology);
  for (const { layer, weights } of modelGraph(topology).layers)
    if (weights.some(({ name }) => idle.has(name))) layer.config[keyOf(layer.config)] = false;
  return { ...model, topology, weights: model.weights.filter(({ name }) => !idle.has(name)) };
}
