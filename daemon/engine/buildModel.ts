/**
 * Builds the user's model as layers of TensorFlow.js, for engines that compute with them and for those that trace them. Does not import
 * TensorFlow.js, because there may be several instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { modelGraph } from '../model/layers/layerGraph.js';
import type { LayersModel, Topology, WeightTensor } from '../model/model.js';
import { withZeroInitializers } from '../model/normalise/zeroInitializers.js';
import { UserError } from '../protocol/errors.js';
import { checkWiring } from './builtWiring.js';
import { useHalfPixelCentres, type Resize } from './halfPixelCentres.js';
import { keepInferenceMode } from './inferenceMode.js';
import { followMasks, type Masks } from './masks/followMasks.js';
import { registerOwnLayers } from './ownLayers/ownLayers.js';

/** A weight of the layers: a variable whose tensor the layer reads, and may assign. */
export interface BuiltWeight {
  /** Its name in the file. */
  readonly tensor: WeightTensor;
  /** The model's layer that contains it. */
  readonly layer: string;
  readonly trainable: boolean;
  /** As the layer's record has it. */
  readonly prunable: boolean;
  readonly variable: Core.Variable;
}

export interface BuiltModel {
  readonly layersModel: Layers.LayersModel;
  /** Masks of the tensors that calls of the model returned. */
  readonly masks: Masks;
  /** In TensorFlow.js's order, by the layers' distance from the output. */
  readonly weights: readonly BuiltWeight[];
}

export interface Building {
  readonly core: typeof Core;
  readonly layers: typeof Layers;
  /** How bilinear upsampling between centres is computed. */
  readonly resize: Resize;
  /** Builds the layers. Default: `modelFromJSON`. */
  readonly build?: (body: () => Promise<Layers.LayersModel>) => Promise<Layers.LayersModel>;
  /** Repairs layers before other code replaces their `call`. */
  readonly repair?: (model: Layers.LayersModel) => void;
}

/** "layer/cell/kernel" in files of TensorFlow 2.2 and later is "layer/kernel" here. */
const withoutCell = (name: string): string => {
  const tokens = name.split('/');
  return [...tokens.slice(0, -2), tokens.at(-1)].join('/');
};

/**
 * Builds the layers, initialised to zero, and matches them with the file's weights.
 * @param topology the model's, or a rewrite of it with the same weights.
 * @throws UserError('model-unsupported') with TensorFlow.js's own reason; 'model-invalid' if a weight is missing or has another shape.
 */
export async function buildModel(
  { core, layers, resize, build = (body) => body(), repair }: Building,
  { path, weights }: LayersModel,
  topology: Topology,
): Promise<BuiltModel> {
  registerOwnLayers(core, layers);
  const json = { modelTopology: withZeroInitializers(topology) } as never;
  let layersModel: Layers.LayersModel;
  try {
    layersModel = await build(() => layers.models.modelFromJSON(json));
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new UserError('model-unsupported', `${path}: TensorFlow.js cannot build this model: ${reason}`, { file: path }); // prettier-ignore
  }
  checkWiring(layersModel, topology, path);
  repair?.(layersModel);
  useHalfPixelCentres(core, resize, layersModel, topology);
  const masks = followMasks(core, layersModel, topology);
  keepInferenceMode(layersModel, topology);

  const files = new Map(weights.map((weight) => [withoutCell(weight.name), weight]));
  for (const weight of weights) files.set(weight.name, weight);
  const specs = modelGraph(topology).layers.flatMap((node) => node.weights);
  const prunable = new Set(specs.flatMap((spec) => (spec.prunable ? [spec.name] : [])));
  const trainable = new Set(layersModel.trainableWeights.map(({ id }) => id));
  return {
    layersModel,
    masks,
    weights: layersModel.layers.flatMap((layer) =>
      layer.weights.map((weight): BuiltWeight => {
        const { originalName: name, shape, id } = weight;
        const tensor = files.get(name);
        if (tensor?.shape.join() !== shape.join()) {
          const found = tensor ? `has the shape [${tensor.shape.join(',')}]` : 'is missing';
          throw new UserError('model-invalid', `${path}: weight "${name}" [${shape.join(',')}] ${found}`, { file: path }); // prettier-ignore
        }
        const variable = weight.read() as Core.Variable;
        return { tensor, layer: layer.name, trainable: trainable.has(id), prunable: prunable.has(name), variable };
      }),
    ),
  };
}
