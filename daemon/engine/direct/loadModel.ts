import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel as Model, Topology } from '../../model/model.js';
import { buildModel } from '../buildModel.js';
import type { Parameter } from '../engine.js';
import { byProducts } from '../halfPixelCentres.js';
import type { Masks } from '../masks/followMasks.js';
import { layOutParameters } from '../parameters.js';
import { repairLayers } from './layerRepairs.js';
import type { TensorFlow } from './tensorflow.js';

/** A variable of the loaded model and the position of its weights in the flat vector. */
export interface BoundParameter extends Parameter {
  readonly variable: Variable;
}

export interface LoadedModel {
  readonly layersModel: LayersModel;
  readonly masks: Masks;
  /** Trainable, prunable ones first; the flat vector's order. */
  readonly parameters: readonly BoundParameter[];
  readonly prunableSize: number;
  readonly size: number;
  /** Moving averages and frozen weights, in the model's order. */
  readonly state: readonly Variable[];
}

/**
 * Builds the model and sets the file's weights.
 * @param topology the model's, or a rewrite of it with the same weights.
 * @throws UserError as `buildModel`.
 */
export async function loadModel(tf: TensorFlow, model: Model, topology: Topology): Promise<LoadedModel> {
  const repair = (built: LayersModel) => repairLayers(tf, built);
  const built = await buildModel({ core: tf.core, layers: tf.layers, resize: byProducts, repair }, model, topology);
  const { layersModel, masks, weights } = built;
  for (const { tensor, variable } of weights)
    tf.core.tidy(() => variable.assign(tf.core.tensor(tensor.data.slice(), variable.shape, variable.dtype)));
  const trained = weights.flatMap(({ tensor: { name, shape }, layer, prunable, trainable, variable }) =>
    trainable ? [{ name, layer, shape, prunable, variable }] : [],
  );
  return {
    layersModel,
    masks,
    ...layOutParameters(trained),
    state: weights.flatMap(({ trainable, variable }) => (trainable ? [] : [variable])),
  };
}
