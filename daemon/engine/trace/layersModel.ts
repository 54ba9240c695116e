import * as tf from '@tensorflow/tfjs-core';
// Registers the layers, all gradients and the chained operations that some layers call.
import * as tfl from '@tensorflow/tfjs-layers';
import { UserError } from '../../protocol/errors.js';
import type { Model } from '../../model/model.js';
import { withZeroInitializers } from '../../model/normalise/zeroInitializers.js';
import { sameShape } from '../graph/ir.js';
import { checkWiring } from '../builtWiring.js';
import { byKernel, useHalfPixelCentres } from '../halfPixelCentres.js';
import { keepInferenceMode } from '../inferenceMode.js';
import { followMasks, type Masks } from '../masks/followMasks.js';
import { allLayers } from '../layerTree.js';
import { registerOwnLayers } from '../ownLayers/ownLayers.js';
import { withTracing } from './backend.js';
import { repairGradients } from './gradientRepairs.js';
import { repairLayer } from './layerRepairs.js';

/** A weight as the layers know it: a variable whose tensor the layer reads, and may assign. */
export interface LayerWeight {
  /** As in the model file. */
  readonly name: string;
  /** The model's layer it belongs to. */
  readonly layer: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly variable: tf.Variable;
}

/** The user's model as TensorFlow.js's layers, for tracing only: its weights have no values. */
export interface TraceableModel {
  readonly model: tfl.LayersModel;
  /** All weights, in the model file's order. */
  readonly weights: readonly LayerWeight[];
  /** Of the tensors that calls of the model gave. */
  readonly masks: Masks;
  /** The innermost layer whose `call` is running. */
  current(): { name: string; className: string; config: Record<string, unknown> } | undefined;
  dispose(): void;
}

/** "layer/cell/kernel" in files of TensorFlow 2.2 and later is "layer/kernel" here. */
const withoutCell = (name: string): string => name.replace(/\/[^/]+(\/[^/]+)$/, '$1');

/**
 * Builds TensorFlow.js's layers from a model in memory.
 * @throws UserError('model-invalid') when TensorFlow.js refuses the topology.
 */
export async function buildLayers({ topology, path, weights }: Model): Promise<TraceableModel> {
  const json = { modelTopology: withZeroInitializers(topology) } as unknown as Parameters<
    typeof tfl.models.modelFromJSON
  >[0];
  registerOwnLayers(tf, tfl);
  let model: tfl.LayersModel;
  try {
    model = await withTracing(undefined, () => tfl.models.modelFromJSON(json));
  } catch (error) {
    throw new UserError('model-invalid', `${path}: TensorFlow.js cannot build the model: ${(error as Error).message.split('\n')[0]}`); // prettier-ignore
  }
  checkWiring(model, topology, path);
  useHalfPixelCentres(tf, byKernel, model, topology);
  const masks = followMasks(tf, model, topology);
  keepInferenceMode(model, topology);
  repairGradients();
  const stack: tfl.layers.Layer[] = [];
  for (const layer of new Set(allLayers(model.layers))) {
    repairLayer(layer);
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => {
      stack.push(layer);
      // Not popped on errors: the layer that failed is the one to name.
      const result = call(inputs, kwargs);
      stack.pop();
      return result;
    };
  }
  const trainable = new Set(model.trainableWeights);
  const files = new Map(weights.flatMap((weight) => [[withoutCell(weight.name), weight] as const]));
  for (const weight of weights) files.set(weight.name, weight);
  const places = new Map(weights.map(({ name }, i) => [name, i]));
  const fileName = (name: string, shape: readonly number[]) => {
    const weight = files.get(name);
    if (!weight || !sameShape(weight.shape, shape)) {
      const found = weight ? `has the shape [${weight.shape}]` : 'is missing';
      throw new UserError('model-invalid', `${path}: weight "${name}" [${shape}] ${found}`, { file: path });
    }
    return weight.name;
  };
  return {
    model,
    masks,
    weights: model.layers
      .flatMap((layer) =>
        layer.weights.map((weight) => ({
          name: fileName(weight.originalName, weight.shape as number[]),
          layer: layer.name,
          shape: weight.shape as number[],
          trainable: trainable.has(weight),
          variable: weight.read() as tf.Variable,
        })),
      )
      // TensorFlow.js sorts layers by their distance from the output, wherever the file has them.
      .sort((a, b) => places.get(a.name)! - places.get(b.name)!),
    current() {
      const layer = stack.at(-1);
      return layer && { name: layer.name, className: layer.getClassName(), config: layer.getConfig() };
    },
    dispose: () => withTracing(undefined, () => void model.dispose()),
  };
}
