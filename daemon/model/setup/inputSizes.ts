/** Sets inputs of open size (a text of any length, an image of any size) to the size of the data. */
import { isObject, type LayerJson } from '../layers/layerConfig.js';
import { inputLayers, modelGraph } from '../layers/layerGraph.js';
import type { Topology } from '../model.js';

const isOpen = (shape: readonly (number | null)[] | null): boolean => shape === null || shape.includes(null);

/**
 * The model with every open size of its inputs set. Its weights are unchanged.
 * @param shapes of one sample, per input, without open sizes.
 * @returns `model` itself if there is no open size.
 */
export function withInputSizes<M extends { readonly topology: Topology }>(
  model: M,
  shapes: readonly (readonly number[])[],
): M {
  const graph = modelGraph(model.topology);
  if (!graph.inputShapes.some(isOpen)) return model;
  const topology = structuredClone(model.topology) as Topology;
  if (!isObject(topology.config)) return model;
  inputLayers(topology as unknown as LayerJson).forEach((layer, i) => {
    const shape = shapes[i];
    if (!shape || !isOpen(graph.inputShapes[i] ?? null)) return;
    const { config } = layer;
    for (const key of ['batchInputShape', 'input_shape', 'inputShape', 'input_length', 'inputLength'])
      delete config[key];
    config.batch_input_shape = [null, ...shape];
  });
  return { ...model, topology };
}
