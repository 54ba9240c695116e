/** Layers that TensorFlow.js 4.22 by itself computes otherwise than Keras on some backend, in a form that it computes alike. */
import { channelsFirst, CONTAINERS, isLayerJson, layerName, layersOf, numberAt, stringAt, tupleAt, type Json, type LayerJson } from '../model/layerConfig.js'; // prettier-ignore
import { modelGraph, type LayerNode } from '../model/layerGraph.js';
import { axisWithoutBatch, type Shape } from '../model/layerShapes.js';
import type { Model } from '../model/model.js';
import { insertBehind, insertInFront } from '../model/rewriteGraph.js';
import { UserError } from '../protocol/errors.js';

/** The functional or sequential model that each layer stands in. */
export function containersOf(container: LayerJson, found = new Map<LayerJson, LayerJson>()): Map<LayerJson, LayerJson> {
  for (const layer of layersOf(container)) {
    found.set(layer, container);
    if (CONTAINERS.has(layer.class_name)) containersOf(layer, found);
  }
  return found;
}

const windowOf = ({ config }: LayerJson): number[] => {
  const size = tupleAt(config, 'pool_size', 3, 2) ?? [];
  const kernel = tupleAt(config, 'kernel_size', 3, 0) ?? [];
  const dilation = tupleAt(config, 'dilation_rate', 3, 1) ?? [];
  return kernel.every((n) => n > 0) ? kernel.map((n, i) => (n - 1) * (dilation[i] ?? 1) + 1) : size;
};

/**
 * Whether the cpu backend counts the padding of a volume as negative, and starts behind its first frame: its stride is larger
 * than its window, and "same" leaves frames over.
 * @param input of the layer, without the batch axis; sizes that are not known count as such.
 */
function skipsFrames({ class_name: name, config }: LayerJson, input: Shape | null): boolean {
  if (!/^(Conv3D|Conv3DTranspose|(Max|Average)Pooling3D)$/.test(name) || stringAt(config, 'padding') !== 'same')
    return false;
  const strides = tupleAt(config, 'strides', 3, name.includes('Pool') ? 2 : 1) ?? [];
  const space = channelsFirst(config) ? input?.slice(1) : input;
  return windowOf({ class_name: name, config }).some((size, i) => {
    const [n, stride] = [space?.[i] ?? null, strides[i]!];
    return (
      size < stride && (n === null || name === 'Conv3DTranspose' || (Math.ceil(n / stride) - 1) * stride + size < n)
    );
  });
}

/** A layer, or what wrappers have inside. */
const withInner = (layer: LayerJson): LayerJson[] =>
  isLayerJson(layer.config.layer) ? [layer, ...withInner(layer.config.layer)] : [layer];

/** BatchNormalization of another axis than the last: to the cpu backend its statistics are of the last one. */
function normalisesWithin(layer: LayerJson, rank: number | undefined): number | null {
  const axis = numberAt(layer.config, 'axis') ?? -1;
  if (layer.class_name !== 'BatchNormalization' || axis === -1) return null;
  if (rank === undefined) return null;
  const index = axisWithoutBatch(axis, rank);
  return index === null || index === rank - 1 ? null : index;
}

function lastBetweenPermutes(container: LayerJson, { layer }: LayerNode, axis: number, rank: number): void {
  const axes = Array.from({ length: rank }, (_, i) => i + 1);
  const last = [...axes.filter((one) => one !== axis + 1), axis + 1];
  const permute = (suffix: string, dims: readonly number[], more: Json = {}): LayerJson => {
    const taken = new Set(layersOf(container).map(layerName));
    let name = `${layerName(layer)}_${suffix}`;
    while (taken.has(name)) name += '_';
    return { class_name: 'Permute', config: { name, trainable: true, dims: [...dims], ...more } };
  };
  const { batch_input_shape: shape } = layer.config;
  insertInFront(container, layer, permute('axis_last', last, shape === undefined ? {} : { batch_input_shape: shape }));
  insertBehind(container, layer, permute('axis_back', axes.map((one) => last.indexOf(one) + 1))); // prettier-ignore
  delete layer.config.batch_input_shape;
  layer.config.axis = -1;
}

/**
 * The model as TensorFlow.js has to be given it; the model itself where it computes it as it is.
 * @throws UserError('model-unsupported') naming the layer where there is no such form.
 */
export function asTfjsComputes(model: Model): Model {
  const topology = structuredClone(model.topology);
  const containers = containersOf(topology as unknown as LayerJson);
  const refuse = (layer: LayerJson, what: string): never => {
    const name = layerName(layer);
    throw new UserError(
      'model-unsupported',
      `${model.path}: layer "${name}" ${what}, which TensorFlow.js by itself computes otherwise; export onnx or keras`,
      { file: model.path, field: name },
    );
  };
  let changed = false;
  for (const node of modelGraph(topology).layers) {
    const { layer } = node;
    const input = node.calls[0]?.[0] ?? null;
    for (const inner of withInner(layer)) {
      if (skipsFrames(inner, inner === layer ? input : null)) {
        const strides = tupleAt(inner.config, 'strides', 3, 1)!;
        if (inner.class_name !== 'Conv3DTranspose' || windowOf(inner).some((size, i) => size > strides[i]!))
          refuse(inner, `is a ${inner.class_name} of padding "same" with a stride beyond its window`);
        // Then nothing is cut off.
        inner.config.padding = 'valid';
        changed = true;
      }
      if (inner !== layer && normalisesWithin(inner, 8) !== null)
        refuse(layer, 'wraps a BatchNormalization of another axis than the last');
    }
    const rank = input?.length;
    const axis = normalisesWithin(layer, rank);
    if (axis === null) continue;
    lastBetweenPermutes(containers.get(layer)!, node, axis, rank!);
    changed = true;
  }
  return changed ? { ...model, topology } : model;
}
