/** Normalization, which TensorFlow.js does not have, as a frozen BatchNormalization, which it computes alike. */
import { layerName, type LayerJson } from '../../model/layers/layerConfig.js';
import { modelGraph, type LayerNode } from '../../model/layers/layerGraph.js';
import type { LayersModel, WeightTensor } from '../../model/model.js';
import { isAdapted, keptAxes, LEAST_DEVIATION } from '../../model/layerClasses/normalisation/statistics.js';
import { refuseForTfjs, wraps } from './tfjsRefusal.js';

const isNormalization = ({ class_name: name }: LayerJson): boolean => name === 'Normalization';

/** Mean and variance of each of `size` positions along the axis; one pair may apply to all. */
function statistics({ layer, weights }: LayerNode, tensors: ReadonlyMap<string, WeightTensor>, size: number): Float32Array[] | null {
  const values = isAdapted(layer.config)
    ? weights.slice(0, 2).map(({ name }) => [...tensors.get(name)!.data])
    : [layer.config.mean, layer.config.variance].map((value) => [value].flat(8) as number[]);
  if (values.some(({ length }) => length !== 1 && length !== size)) return null;
  return values.map((list) => Float32Array.from({ length: size }, (_, i) => list[list.length === 1 ? 0 : i]!));
} // prettier-ignore

/** An inverted layer computes (x - 0) / 1 * deviation + mean; a variance below the least one is raised to it. */
function asBatchNormalization({ layer }: LayerNode, axis: number, [mean, variance]: Float32Array[]): WeightTensor[] {
  const { name, batch_input_shape: shape, invert } = layer.config;
  const [zeros, ones] = [mean!.map(() => 0), mean!.map(() => 1)];
  const deviations = variance!.map((value) => Math.max(Math.sqrt(value), LEAST_DEVIATION));
  const parts =
    invert === true
      ? { gamma: deviations, beta: mean!, moving_mean: zeros, moving_variance: ones }
      : { gamma: ones, beta: zeros, moving_mean: mean!, moving_variance: variance!.map((value) => Math.max(value, LEAST_DEVIATION ** 2)) }; // prettier-ignore
  layer.class_name = 'BatchNormalization';
  layer.config = { name, trainable: false, axis, epsilon: 0, center: true, scale: true, ...(shape === undefined ? {} : { batch_input_shape: shape }) }; // prettier-ignore
  return Object.entries(parts).map(([part, data]) => ({ name: `${layerName(layer)}/${part}`, shape: [data.length], dtype: 'float32', data })); // prettier-ignore
}

/**
 * The model with every Normalization in a form that TensorFlow.js computes; the model itself if it has none.
 * @throws UserError('model-unsupported') naming the layer if it has no such form.
 */
export function withoutNormalization(model: LayersModel): LayersModel {
  const topology = structuredClone(model.topology);
  const tensors = new Map(model.weights.map((weight) => [weight.name, weight]));
  const instead = new Map<string, readonly WeightTensor[]>();
  let changed = false;
  for (const node of modelGraph(topology).layers) {
    const { layer } = node;
    if (wraps(layer, isNormalization)) refuseForTfjs(model, node.path, 'wraps a Normalization');
    if (!isNormalization(layer)) continue;
    const [input] = node.calls[0] ?? [];
    const axes = input ? keptAxes(layer.config, input.length + 1) : null;
    if (!input || !axes || axes.length > 1)
      return refuseForTfjs(model, node.path, 'is a Normalization of several axes');
    const axis = axes[0] ?? input.length;
    const size = input[axis - 1] ?? null;
    const own = size === null ? null : statistics(node, tensors, size);
    if (own === null)
      return refuseForTfjs(
        model,
        node.path,
        'is a Normalization whose statistics are not one for each place along an axis',
      );
    const names = node.weights.map(({ name }) => name);
    const weights = asBatchNormalization(node, axis === input.length ? -1 : axis, own);
    for (const [i, name] of names.entries()) instead.set(name, i === 0 ? weights : []);
    if (names.length === 0) instead.set(`/${layerName(layer)}`, weights);
    changed = true;
  }
  if (!changed) return model;
  const kept = model.weights.flatMap((weight) => instead.get(weight.name) ?? [weight]);
  const known = new Set(model.weights.map(({ name }) => name));
  const added = [...instead].flatMap(([name, weights]) => (known.has(name) ? [] : weights));
  return { ...model, topology, weights: [...kept, ...added] };
}
