/** Layers that TensorFlow.js 4.22 computes differently from Keras on some backend, in a form for which both agree. */
import { classOf } from '../../model/layerClasses/registry.js';
import { channelsFirst, CONTAINERS, isLayerJson, layerName, layersOf, numberAt, stringAt, tupleAt, type Json, type LayerJson } from '../../model/layers/layerConfig.js'; // prettier-ignore
import { modelGraph } from '../../model/layers/layerGraph.js';
import { axisWithoutBatch, type Shape } from '../../model/layers/shape.js';
import type { LayersModel } from '../../model/model.js';
import { insertBehind, insertInFront } from '../../model/normalise/rewriteGraph.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { refuseMasksOfTfjs } from './tfjsMasks.js';
import { refuseOperations } from './tfjsOperations.js';

/** The functional or sequential model that contains each layer. */
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
 * Whether the cpu backend counts the padding of a volume as negative, and starts behind its first frame. That happens if the stride is larger than
 * the window, and "same" leaves frames over.
 * @param input of the layer, without the batch axis; unknown sizes count as such.
 */
function skipsFrames({ class_name: name, config }: LayerJson, input: Shape | null): boolean {
  const skips = classOf(name)?.skipsFramesInTfjs;
  if (skips === undefined || stringAt(config, 'padding') !== 'same') return false;
  const strides = tupleAt(config, 'strides', 3, name.includes('Pool') ? 2 : 1) ?? [];
  const space = channelsFirst(config) ? input?.slice(1) : input;
  return windowOf({ class_name: name, config }).some((size, i) => {
    const [n, stride] = [space?.[i] ?? null, strides[i]!];
    return size < stride && (n === null || skips === 'backwards' || (Math.ceil(n / stride) - 1) * stride + size < n);
  });
}

/** A layer, or the layers inside a wrapper. */
const withInner = (layer: LayerJson): LayerJson[] =>
  isLayerJson(layer.config.layer) ? [layer, ...withInner(layer.config.layer)] : [layer];

/**
 * The axis of the input, without the batch, along which a layer works while TensorFlow.js's cpu backend works along the last axis: it always takes
 * BatchNormalization's statistics for the last one. null: the last axis, or another layer.
 */
function innerAxis({ class_name: name, config }: LayerJson, rank: number): number | null {
  const axis = numberAt(config, 'axis') ?? -1;
  if (!classOf(name)?.lastAxisInTfjs || axis === -1) return null;
  const index = axisWithoutBatch(axis, rank);
  return index === null || index === rank - 1 ? null : index;
}

/** Puts a layer of one class in front and one behind. */
function between(container: LayerJson, layer: LayerJson, className: string, configs: readonly [Json, Json]): void {
  const taken = new Set(layersOf(container).map(layerName));
  const made = configs.map((config, i): LayerJson => {
    let name = `${layerName(layer)}_${className.toLowerCase()}_${i === 0 ? 'in' : 'out'}`;
    while (taken.has(name)) name += '_';
    return { class_name: className, config: { name, trainable: true, ...config } };
  });
  const { batch_input_shape: shape } = layer.config;
  if (shape !== undefined) made[0]!.config.batch_input_shape = shape;
  delete layer.config.batch_input_shape;
  insertInFront(container, layer, made[0]!);
  insertBehind(container, layer, made[1]!);
}

/** Moves the axis to the end, and back after the layer. @returns the shape that the layer then gets. */
function lastBetweenPermutes(container: LayerJson, layer: LayerJson, axis: number, input: Shape): Shape {
  const axes = input.map((_, i) => i + 1);
  const last = [...axes.filter((one) => one !== axis + 1), axis + 1];
  between(container, layer, 'Permute', [{ dims: last }, { dims: axes.map((one) => last.indexOf(one) + 1) }]);
  layer.config.axis = -1;
  return last.map((one) => input[one - 1]!);
}

/**
 * The model in the form for plain TensorFlow.js; the model itself if no change is needed. All models that have no such form are rejected here, and
 * nowhere else.
 * @throws UserError('model-unsupported') naming the layer and the way out, if TensorFlow.js has no such layer, or would compute another result in
 * every form.
 */
export function asTfjsComputes(model: LayersModel): LayersModel {
  refuseOperations(model);
  refuseMasksOfTfjs(model);
  const topology = structuredClone(model.topology);
  const containers = containersOf(topology as unknown as LayerJson);
  const refuse = (layer: LayerJson, what: string): never => {
    const name = layerName(layer);
    throw new UserError(
      'model-unsupported',
      `${model.path}: layer "${name}" ${what}, which TensorFlow.js by itself does not compute as Keras does; export onnx or keras`,
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
        if (
          classOf(inner.class_name)?.skipsFramesInTfjs === 'forwards' ||
          windowOf(inner).some((size, i) => size > strides[i]!)
        )
          refuse(inner, `is a ${inner.class_name} of padding "same" with a stride beyond its window`);
        // Then nothing is cropped.
        inner.config.padding = 'valid';
        changed = true;
      }
      if (inner !== layer && innerAxis(inner, 8) !== null)
        refuse(layer, `wraps a ${inner.class_name} of another axis than the last`);
    }
    if (input === null) continue;
    const container = containers.get(layer)!;
    const axis = innerAxis(layer, input.length);
    const shape = axis === null ? input : lastBetweenPermutes(container, layer, axis, input);
    const volumes = shape.length > (classOf(layer.class_name)?.mostAxesInTfjs ?? Infinity);
    if (volumes) {
      const [along, ...more] = [layer.config.axis ?? -1].flat() as number[];
      if (more.length > 0 || axisWithoutBatch(along!, shape.length) !== shape.length - 1)
        refuse(layer, 'normalises volumes along other axes than the last');
      const sizes = new Set(node.calls.map((call) => String(call[0])));
      if (sizes.size > 1 || shape.some((size) => size === null))
        refuse(layer, 'normalises volumes of an open size, or of several');
      const rows = sizeOf(shape.slice(0, -1) as number[]);
      between(container, layer, 'Reshape', [{ target_shape: [rows, shape.at(-1)] }, { target_shape: [...shape] }]);
      if (Array.isArray(layer.config.axis)) layer.config.axis = [-1];
    }
    changed ||= volumes || axis !== null;
  }
  return changed ? { ...model, topology } : model;
}
