import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Loss } from '../engine.js';
import { absorbedHead, type Head } from '../loss/head.js';

interface Activated {
  activation?: { getClassName?(): string; apply(x: tf.Tensor): tf.Tensor };
  axis?: number;
}

/** The layer that gives output `index`, through nested models. */
function outputLayer(model: tfl.LayersModel, index: number): tfl.layers.Layer {
  const { outputLayers } = model as unknown as { outputLayers?: tfl.layers.Layer[] };
  const sequential = model.getClassName() === 'Sequential';
  const layer = sequential ? model.layers.at(-1)! : outputLayers![index]!;
  return 'layers' in layer ? outputLayer(layer as unknown as tfl.LayersModel, 0) : layer;
}

/**
 * Recognises the head of the model's output and, when it has one, runs `body` with that activation taken off, so that the
 * output is the logits. With `fromLogits` it is that already.
 */
export function withLogits<T>(
  model: tfl.LayersModel,
  index: number,
  { loss, fromLogits = false }: { readonly loss: Loss; readonly fromLogits?: boolean },
  body: (head: Head) => T,
): T {
  const layer = outputLayer(model, index) as tfl.layers.Layer & Activated;
  const wanted = absorbedHead(loss);
  if (fromLogits) return body(wanted);
  const usedOnce = layer.inboundNodes.length === 1;
  const lastAxis = layer.axis === undefined || layer.axis === -1;
  if (usedOnce && layer.activation?.getClassName?.() === wanted) {
    const { activation } = layer;
    const linear = { getClassName: () => 'linear', apply: (x: tf.Tensor) => x };
    layer.activation = linear;
    try {
      return body(wanted);
    } finally {
      layer.activation = activation;
    }
  }
  if (usedOnce && layer.getClassName() === 'Softmax' && wanted === 'softmax' && lastAxis) {
    const { call } = layer;
    layer.call = (inputs) => (Array.isArray(inputs) ? inputs[0]! : inputs);
    try {
      return body('softmax');
    } finally {
      layer.call = call;
    }
  }
  return body('none');
}
