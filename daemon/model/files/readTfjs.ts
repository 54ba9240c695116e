/** TensorFlow.js layers-models: a model.json and its shards. */
import { UserError } from '../../protocol/errors.js';
import { asInTfjs } from '../normalise/hardSigmoid.js';
import { CONTAINERS, field, layerName, layersOf, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph } from '../layers/layerGraph.js';
import { byteSize, decodeWeight } from './manifest.js';
import type { LayersModel, WeightTensor } from '../model.js';
import type { ModelJson } from './modelJson.js';
import { Notes } from '../notes.js';
import { readGroup, type OnFile } from './shards.js';
import { assignWeights, refuseNonFinite } from './weightNames.js';

/**
 * TensorFlow.js leaves `depthMultiplier` out when it saves a SeparableConv2D: its depthwise kernel [h, w, channels, multiplier] has it.
 * @returns the layers that got theirs.
 */
function readMultipliers(container: LayerJson, tensors: readonly WeightTensor[]): string[] {
  return layersOf(container).flatMap((layer): string[] => {
    if (CONTAINERS.has(layer.class_name)) return readMultipliers(layer, tensors);
    if (layer.class_name !== 'SeparableConv2D' || field(layer.config, 'depth_multiplier') !== undefined) return [];
    const own = `${layerName(layer)}/depthwise_kernel`;
    const multiplier = tensors.find(({ name }) => name === own || name.endsWith(`/${own}`))?.shape[3];
    if (multiplier === undefined || multiplier === 1) return [];
    layer.config.depth_multiplier = multiplier;
    return [layerName(layer)];
  });
}

/** @param json absolute path of the model.json that `parsed` came from. @throws UserError, see readGroup and assignWeights. */
export async function readTfjsWeights(
  parsed: ModelJson,
  json: string,
  workspace: string,
  onFile: OnFile,
): Promise<LayersModel> {
  const notes = new Notes();
  const tensors: WeightTensor[] = [];
  for (const group of parsed.manifest ?? []) {
    const bytes = await readGroup(group, json, { workspace, notes, onFile });
    let offset = 0;
    for (const weight of group.weights) {
      const size = byteSize(weight);
      if (weight.optimizer) notes.add('the state of the optimizer was left out');
      else {
        const data = decodeWeight(weight, bytes.subarray(offset, offset + size));
        if (weight.stored !== weight.dtype) notes.add(`weights stored as ${weight.stored} became ${weight.dtype}`);
        tensors.push({ name: weight.name, shape: weight.shape, dtype: weight.dtype, data });
      }
      offset += size;
    }
  }
  for (const name of readMultipliers(parsed.topology as unknown as LayerJson, tensors))
    notes.add('depth_multiplier, which TensorFlow.js does not save, was read from the weights', name);
  const graph = modelGraph(parsed.topology);
  if (tensors.length === 0 && graph.layers.some((node) => node.weights.length > 0)) {
    throw new UserError('model-invalid', `${json} lists no weights; save the whole model, not the topology alone`, {
      file: json,
    });
  }
  const weights = assignWeights(graph, tensors, parsed.renamed, json, notes);
  refuseNonFinite(weights, json);
  const model: LayersModel = {
    kind: 'layers',
    format: 'tfjs-layers',
    path: json,
    topology: parsed.topology,
    weights,
    ...(parsed.trainingConfig === undefined ? {} : { trainingConfig: parsed.trainingConfig }),
    notes: [...parsed.notes, ...notes.list()],
  };
  return asInTfjs(model, parsed);
}
