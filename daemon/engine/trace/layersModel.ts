import * as tf from '@tensorflow/tfjs-core';
// Registers the layers, all gradients and the chained operations that some layers call.
import * as tfl from '@tensorflow/tfjs-layers';
import type { LayersModel } from '../../model/model.js';
import { buildModel } from '../buildModel.js';
import { byKernel } from '../halfPixelCentres.js';
import { allLayers } from '../layerTree.js';
import type { Masks } from '../masks/followMasks.js';
import { withTracing } from './backend.js';
import { repairLayer } from './layerRepairs.js';

/** A weight as the layers hold it: a variable whose tensor the layer reads and may assign. */
export interface LayerWeight {
  /** The name in the model file. */
  readonly name: string;
  /** The model's layer that owns it. */
  readonly layer: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly prunable: boolean;
  readonly variable: tf.Variable;
}

/** The user's model as TensorFlow.js layers, for tracing only: its weights have no values. */
export interface TraceableModel {
  readonly model: tfl.LayersModel;
  /** All weights, in the order of the model file. */
  readonly weights: readonly LayerWeight[];
  /** Masks of tensors that calls of the model returned. */
  readonly masks: Masks;
  /** The innermost layer whose `call` is running. */
  current(): { name: string; className: string; config: Record<string, unknown> } | undefined;
  dispose(): void;
}

/**
 * Builds TensorFlow.js's layers from a model in memory.
 * @param topology a rewrite of the model's topology with the same weights; by default the model's own.
 * @throws UserError as `buildModel`.
 */
export async function buildLayers(source: LayersModel, topology = source.topology): Promise<TraceableModel> {
  const {
    layersModel: model,
    masks,
    weights,
  } = await buildModel(
    { core: tf, layers: tfl, resize: byKernel, build: (body) => withTracing(undefined, body) },
    source,
    topology,
  );
  const stack: tfl.layers.Layer[] = [];
  for (const layer of new Set(allLayers(model.layers))) {
    repairLayer(layer);
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => {
      stack.push(layer);
      // A layer that throws is not popped, because it is the one to name.
      const result = call(inputs, kwargs);
      stack.pop();
      return result;
    };
  }
  const places = new Map(source.weights.map(({ name }, i) => [name, i]));
  return {
    model,
    masks,
    weights: weights
      .map(({ tensor, ...weight }) => ({ ...weight, name: tensor.name, shape: tensor.shape }))
      // Wherever TensorFlow.js has them.
      .sort((a, b) => places.get(a.name)! - places.get(b.name)!),
    current() {
      const layer = stack.at(-1);
      return layer && { name: layer.name, className: layer.getClassName(), config: layer.getConfig() };
    },
    dispose: () => withTracing(undefined, () => void model.dispose()),
  };
}
