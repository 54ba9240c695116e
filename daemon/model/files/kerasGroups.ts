/**
 * The groups of each layer's variables in Keras's native format (keras/src/saving/saving_lib.py): groups are named by the snake_case class name and a
 * counter in layer order, not by the layers' names; inside, a variable is its position among the layer's own.
 */
import { classOf } from '../layerClasses/registry.js';
import { CONTAINERS, layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { groupNamer, joined } from './groupNames.js';
import { layerWeights } from '../layers/layerWeights.js';

/** A layer's own groups, in the order of its weights in TensorFlow.js. */
function ownGroups(layer: LayerJson): string[] {
  if (CONTAINERS.has(layer.class_name))
    return layerGroups(layer, 'layers').flatMap(({ groups, hasWeights }) => (hasWeights ? groups : []));
  return classOf(layer.class_name)?.groups?.(layer, ownGroups) ?? [''];
}

export interface LayerGroups {
  /** Containers' names and its own, joined by "/". */
  readonly path: string;
  readonly hasWeights: boolean;
  /** One per run of weights of the same scope, in the order of the layer's weights in TensorFlow.js. */
  readonly groups: readonly string[];
}

/**
 * The groups of every layer of a model that is not a container, nested ones included.
 * @param layersKey the name of the group that holds layers: "layers", or the name in Keras 2.12 and 2.13.
 */
export function layerGroups(model: LayerJson, layersKey: string, path = '', group = ''): LayerGroups[] {
  const namer = groupNamer();
  // Sequential.layers leaves its InputLayer out; no other class shares its counter.
  return layersOf(model).flatMap((layer): LayerGroups[] => {
    const at = joined(path, layerName(layer));
    const className = layer.class_name === 'Model' ? 'Functional' : layer.class_name;
    const base = joined(group, layersKey, namer(className));
    if (CONTAINERS.has(layer.class_name)) return layerGroups(layer, layersKey, at, base);
    const hasWeights = layerWeights(layer, '', null).length > 0;
    return [{ path: at, hasWeights, groups: ownGroups(layer).map((own) => joined(base, own)) }];
  });
}

/** A container's raw JSON as a layer, whatever its config contains. */
export const asLayer = (model: { class_name: string; config: unknown }): LayerJson =>
  ({ class_name: model.class_name, config: model.config as Json }) as LayerJson;
