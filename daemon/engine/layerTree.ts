/** Reads TensorFlow.js's layers. Does not import TensorFlow.js, because there may be several instances of it. */
import type { Scalar } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';

type Layer = layers.Layer;

/** Every layer, including those inside models and wrappers. */
export function allLayers(list: readonly Layer[]): Layer[] {
  return list.flatMap((layer) => {
    const { layers: inner, layer: wrapped, cell, cells, forwardLayer, backwardLayer } = layer as unknown as Record<string, Layer & Layer[]>; // prettier-ignore
    const children = [...(inner ?? []), wrapped, cell, ...(cells ?? []), forwardLayer, backwardLayer];
    return [layer, ...allLayers(children.filter((child) => child !== undefined && child !== null))];
  });
}

/**
 * The penalties of the model's own regularizers (l1 and l2 of kernels, biases and embeddings), as Keras adds them to the loss: once a weight, however
 * often its layer is called, and none for a frozen layer.
 */
export const penalties = (model: { readonly layers: readonly Layer[] }): Scalar[] =>
  [...new Set(allLayers(model.layers))]
    .filter((layer) => layer.trainable && !('layers' in layer))
    .flatMap((layer) => layer.losses.map((penalty) => penalty()));
