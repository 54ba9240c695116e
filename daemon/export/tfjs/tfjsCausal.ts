/** Conv1D of padding "causal", which TensorFlow.js does not compute, as a "valid" one behind a border of zeros. */
import type { LayerJson } from '../../model/layers/layerConfig.js';
import { modelGraph } from '../../model/layers/layerGraph.js';
import { isCausal, putBorderInFront } from '../../model/normalise/causalPadding.js';
import type { LayersModel } from '../../model/model.js';
import { containersOf } from './tfjsForms.js';
import { refuseForTfjs, wraps } from './tfjsRefusal.js';

/**
 * The model with every causal convolution in a form that TensorFlow.js computes; the model itself if it has none.
 * @throws UserError('model-unsupported') naming the layer if it has no such form.
 */
export function withoutCausalPadding(model: LayersModel): LayersModel {
  const topology = structuredClone(model.topology);
  const containers = containersOf(topology as unknown as LayerJson);
  let changed = false;
  for (const { layer, path, calls } of modelGraph(topology).layers) {
    if (wraps(layer, isCausal)) refuseForTfjs(model, path, 'wraps a Conv1D of causal padding');
    if (!isCausal(layer)) continue;
    const [steps = null, channels = null] = calls[0]?.[0] ?? [];
    if (channels === null)
      return refuseForTfjs(model, path, 'is a Conv1D of causal padding over an unknown number of channels');
    const sameSteps = calls.every(([input]) => input?.[0] === steps);
    putBorderInFront(containers.get(layer)!, layer, sameSteps ? steps : null, channels);
    changed = true;
  }
  return changed ? { ...model, topology } : model;
}
