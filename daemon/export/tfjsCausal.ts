/** Conv1D of padding "causal", which TensorFlow.js does not compute, as a "valid" one behind a border of zeros. */
import { layerName, layersOf, type Json, type LayerJson } from '../model/layerConfig.js';
import { modelGraph } from '../model/layerGraph.js';
import { isCausal, stepsInFront } from '../model/causalPadding.js';
import type { Model } from '../model/model.js';
import { insertInFront } from '../model/rewriteGraph.js';
import { containersOf } from './tfjsForms.js';
import { refuseForTfjs, wraps } from './tfjsRefusal.js';

/** TensorFlow.js has a border of zeros for images alone: the sequence is one of a single channel in between. */
function border(layer: LayerJson, steps: number | null, channels: number, free: (suffix: string) => string): LayerJson[] {
  const front = stepsInFront(layer.config);
  const { batch_input_shape: shape } = layer.config;
  const extra = (class_name: string, suffix: string, config: Json): LayerJson => ({ class_name, config: { name: free(suffix), trainable: true, ...config } });
  return [
    extra('Reshape', 'image', { target_shape: [steps ?? -1, channels, 1], ...(shape === undefined ? {} : { batch_input_shape: shape }) }),
    extra('ZeroPadding2D', 'front', { padding: [[front, 0], [0, 0]], data_format: 'channels_last' }),
    extra('Reshape', 'sequence', { target_shape: [steps === null ? -1 : steps + front, channels] }),
  ];
} // prettier-ignore

/**
 * The model with every causal convolution as TensorFlow.js computes it; the model itself where it has none.
 * @throws UserError('model-unsupported') naming the layer where it has no such form.
 */
export function withoutCausalPadding(model: Model): Model {
  const topology = structuredClone(model.topology);
  const containers = containersOf(topology as unknown as LayerJson);
  let changed = false;
  for (const { layer, path, calls } of modelGraph(topology).layers) {
    if (wraps(layer, isCausal)) refuseForTfjs(model, path, 'wraps a Conv1D of causal padding');
    if (!isCausal(layer)) continue;
    const [steps = null, channels = null] = calls[0]?.[0] ?? [];
    if (channels === null)
      return refuseForTfjs(model, path, 'is a Conv1D of causal padding over an unknown number of channels');
    const container = containers.get(layer)!;
    const taken = new Set(layersOf(container).map(layerName));
    const free = (suffix: string): string => {
      let name = `${layerName(layer)}_${suffix}`;
      while (taken.has(name)) name += '_';
      return name;
    };
    const sameSteps = calls.every(([input]) => input?.[0] === steps);
    for (const extra of border(layer, sameSteps ? steps : null, channels, free)) insertInFront(container, layer, extra);
    delete layer.config.batch_input_shape;
    layer.config.padding = 'valid';
    changed = true;
  }
  return changed ? { ...model, topology } : model;
}
