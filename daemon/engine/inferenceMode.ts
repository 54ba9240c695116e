/** Layers that compute in training what they compute in inference. Does not import TensorFlow.js, because there may be several instances of it. */
import type { layers } from '@tensorflow/tfjs-layers';
import { calledInInference } from '../model/normalise/callModes.js';
import type { Topology } from '../model/model.js';
import { allLayers } from './layerTree.js';

type Layer = layers.Layer;

/**
 * Keeps layers in inference mode whatever the mode of a call of the model, as Keras does. A BatchNormalization with trainable=false normalises by its
 * moving averages and does not change them; so does any layer that the file calls with training=False, whose Dropout drops nothing. TensorFlow.js
 * supports neither.
 * @param model built of `topology`, before other code replaces its layers' `call`.
 */
export function keepInferenceMode(model: { readonly layers: readonly Layer[] }, topology: Topology): void {
  const called = calledInInference(topology);
  for (const layer of new Set(allLayers(model.layers))) {
    const frozen = layer.getClassName() === 'BatchNormalization' && !layer.trainable;
    if (!frozen && !called.has(layer.name)) continue;
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  }
}
