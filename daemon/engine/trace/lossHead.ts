import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Topology } from '../../model/model.js';
import { isReadInside } from '../../model/layers/readInside.js';
import type { Loss } from '../engine.js';
import { allLayers } from '../layerTree.js';
import { absorbedHead, type Head } from '../../model/setup/loss.js';
import type { TrainedOutput } from '../loss/jointLoss.js';

interface Activated {
  activation?: { getClassName?(): string; apply(x: tf.Tensor): tf.Tensor };
  axis?: number;
}

/**
 * `withLogits` of all outputs that are computed. Where they are several, one that another layer reads keeps its activation.
 *
 * @param outputs paths of the layers that make them, each once.
 */
export function withAllLogits<T>(
  model: tfl.LayersModel,
  topology: Topology,
  outputs: readonly (Pick<TrainedOutput, 'loss' | 'fromLogits'> & { readonly path: string })[],
  body: (heads: readonly Head[]) => T,
): T {
  const kept = outputs.map(({ path }) => outputs.length > 1 && isReadInside(topology, path));
  const from = (i: number, heads: readonly Head[]): T => {
    const one = outputs[i];
    if (!one) return body(heads);
    const next = (head: Head) => from(i + 1, [...heads, head]);
    return kept[i] && one.fromLogits !== true ? next('none') : withLogits(model, one.path, one, next);
  };
  return from(0, []);
}

/**
 * Recognises the head of the model's output and, when it has one, runs `body` with that activation taken off, so that the
 * output is the logits. With `fromLogits` it is that already.
 *
 * @param output path of the layer that makes it; names are unique through nested models.
 */
export function withLogits<T>(
  model: tfl.LayersModel,
  output: string,
  { loss, fromLogits = false }: { readonly loss: Loss; readonly fromLogits?: boolean },
  body: (head: Head) => T,
): T {
  const name = output.split('/').at(-1);
  const layer = allLayers(model.layers).find((one) => one.name === name) as (tfl.layers.Layer & Activated) | undefined;
  const wanted = absorbedHead(loss);
  if (fromLogits) return body(wanted);
  if (!layer) return body('none');
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
