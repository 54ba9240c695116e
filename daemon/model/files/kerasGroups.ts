/**
 * Where Keras's native format keeps each layer's variables (keras/src/saving/saving_lib.py): groups are the snake_case
 * class name and a counter in layer order, not the layers' names; inside, a variable is its position among the layer's own.
 */
import { CONTAINERS, isLayerJson, layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { layerWeights } from '../layers/layerWeights.js';

/** keras/src/utils/naming.py, to_snake_case. */
export const snakeCase = (className: string): string =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** `dense`, `dense_1`, ... in the order asked. */
export function groupNamer(): (className: string) => string {
  const used = new Map<string, number>();
  return (className) => {
    const name = snakeCase(className);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  };
}

const joined = (...segments: string[]): string => segments.filter((segment) => segment !== '').join('/');

/** A layer's own groups, in the order of its weights in TensorFlow.js. `cell` is what a cell is called: its class's group. */
function ownGroups(layer: LayerJson): string[] {
  const inner = layer.config.layer;
  switch (layer.class_name) {
    case 'SimpleRNN':
    case 'GRU':
    case 'LSTM':
    case 'ConvLSTM2D':
      return ['cell'];
    case 'RNN': {
      const cell = layer.config.cell;
      return isLayerJson(cell) ? ownGroups(cell).map((group) => joined('cell', group)) : ['cell'];
    }
    case 'StackedRNNCells': {
      const namer = groupNamer();
      const cells = Array.isArray(layer.config.cells) ? (layer.config.cells as unknown[]) : [];
      return cells.filter(isLayerJson).map((cell) => `cells/${namer(cell.class_name)}`);
    }
    case 'Bidirectional':
      return isLayerJson(inner)
        ? ['forward_layer', 'backward_layer'].flatMap((way) => ownGroups(inner).map((group) => joined(way, group)))
        : [''];
    case 'TimeDistributed':
      if (!isLayerJson(inner)) return ['layer'];
      if (!CONTAINERS.has(inner.class_name)) return ownGroups(inner).map((group) => joined('layer', group));
      return layerGroups(inner, 'layers')
        .flatMap(({ groups, hasWeights }) => (hasWeights ? groups : []))
        .map((group) => joined('layer', group));
    default:
      return [''];
  }
}

export interface LayerGroups {
  /** Containers' names and its own, joined by "/". */
  readonly path: string;
  readonly hasWeights: boolean;
  /** One per run of weights of the same scope, in the order of the layer's weights in TensorFlow.js. */
  readonly groups: readonly string[];
}

/**
 * The groups of every layer of a model that is no container, nested ones included.
 * @param layersKey the name of the group that holds layers: "layers", or what Keras 2.12 and 2.13 called it.
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

/** A container's raw JSON as a layer, whatever its config is. */
export const asLayer = (model: { class_name: string; config: unknown }): LayerJson =>
  ({ class_name: model.class_name, config: model.config as Json }) as LayerJson;
