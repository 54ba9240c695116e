/** Inputs of open size (a text of any length, an image of any size), as the data at hand has them. */
import { CONTAINERS, isObject, layerName, layersOf, type LayerJson } from './layerConfig.js';
import { endRefs, modelGraph } from './layerGraph.js';
import type { Model, Topology } from './model.js';

/** The layers that declare a model's inputs, in the inputs' order; of a nested model that comes first, its own. */
function inputLayers(container: LayerJson): LayerJson[] {
  const layers = layersOf(container);
  const inside = (layer: LayerJson): LayerJson[] => (CONTAINERS.has(layer.class_name) ? inputLayers(layer) : [layer]);
  if (container.class_name === 'Sequential') return layers.slice(0, 1).flatMap(inside);
  return endRefs(container.config.input_layers).flatMap((ref) =>
    layers.filter((layer) => layerName(layer) === ref.layer).flatMap(inside),
  );
}

const isOpen = (shape: readonly (number | null)[] | null): boolean => shape === null || shape.includes(null);

/**
 * The model with every open size of its inputs set. Its weights are the same ones.
 *
 * @param shapes of one sample, per input, without open sizes.
 * @returns `model` itself where nothing is open.
 */
export function withInputSizes(model: Model, shapes: readonly (readonly number[])[]): Model {
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
