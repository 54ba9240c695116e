import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Variable } from '@tensorflow/tfjs-core';
import type { Model, Topology, WeightTensor } from '../../model/model.js';
import { withZeroInitializers } from '../../model/normalise/zeroInitializers.js';
import { UserError } from '../../protocol/errors.js';
import { checkWiring } from '../builtWiring.js';
import type { Parameter } from '../engine.js';
import { byProducts, useHalfPixelCentres } from '../halfPixelCentres.js';
import { keepInferenceMode } from '../inferenceMode.js';
import { repairLayers } from './layerRepairs.js';
import { followMasks, type Masks } from '../masks/followMasks.js';
import { registerOwnLayers } from '../ownLayers/ownLayers.js';
import type { TensorFlow } from './tensorflow.js';

/** A variable of the loaded model and where its weights lie in the flat vector. */
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

/** Kernels of Dense and convolutions, recurrent kernels, embeddings: the names TensorFlow.js gives them. */
const isPrunable = (name: string): boolean => /(^|[/_])(kernel|embeddings)(:0)?$/.test(name);

/** "layer/cell/kernel" in files of TensorFlow 2.2 and later is "layer/kernel" here. */
const withoutCell = (name: string): string => {
  const tokens = name.split('/');
  return [...tokens.slice(0, -2), tokens.at(-1)].join('/');
};

/**
 * Builds the model and gives it the file's weights.
 *
 * @param topology the model's, or a rewrite of it with the same weights.
 * @throws UserError('model-unsupported') with TensorFlow.js's own reason; 'model-invalid' where a weight is absent or of another shape.
 */
export async function loadModel(tf: TensorFlow, model: Model, topology: Topology): Promise<LoadedModel> {
  registerOwnLayers(tf.core, tf.layers);
  let layersModel: LayersModel;
  try {
    layersModel = await tf.layers.models.modelFromJSON({
      modelTopology: withZeroInitializers(topology) as never,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError('model-unsupported', `${model.path}: TensorFlow.js cannot build this model: ${reason}`, {
      file: model.path,
    });
  }
  checkWiring(layersModel, topology, model.path);
  repairLayers(tf, layersModel);
  useHalfPixelCentres(tf.core, byProducts, layersModel, topology);
  const masks = followMasks(tf.core, layersModel, topology);
  keepInferenceMode(layersModel, topology);

  const byName = new Map(model.weights.map((weight) => [weight.name, weight]));
  for (const weight of model.weights) {
    const short = withoutCell(weight.name);
    if (!byName.has(short)) byName.set(short, weight);
  }
  const bound: { tensor: WeightTensor; layer: string; variable: Variable; trainable: boolean }[] = [];
  const trainable = new Set(layersModel.trainableWeights.map(({ id }) => id));
  for (const layer of layersModel.layers) {
    for (const weight of layer.weights) {
      const name = weight.originalName;
      const tensor = byName.get(name);
      const shape = weight.shape.join(',');
      if (tensor?.shape.join(',') !== shape) {
        const found = tensor ? `has the shape [${tensor.shape.join(',')}]` : 'is missing';
        throw new UserError('model-invalid', `${model.path}: weight "${name}" [${shape}] ${found}`, {
          file: model.path,
        });
      }
      const variable = weight.read() as Variable;
      tf.core.tidy(() => variable.assign(tf.core.tensor(tensor.data.slice(), variable.shape, variable.dtype)));
      bound.push({ tensor, layer: layer.name, variable, trainable: trainable.has(weight.id) });
    }
  }

  const parameters: BoundParameter[] = [];
  let size = 0;
  let prunableSize = 0;
  for (const prunable of [true, false]) {
    for (const { tensor, layer, variable, trainable } of bound) {
      if (!trainable || isPrunable(tensor.name) !== prunable) continue;
      const { name, shape } = tensor;
      parameters.push({ name, layer, shape, offset: size, size: variable.size, prunable, variable });
      size += variable.size;
    }
    if (prunable) prunableSize = size;
  }
  return {
    layersModel,
    masks,
    parameters,
    prunableSize,
    size,
    state: bound.filter(({ trainable }) => !trainable).map(({ variable }) => variable),
  };
}
