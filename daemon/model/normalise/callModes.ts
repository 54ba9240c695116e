/** Training and inference mode in a file's wiring: the `training` argument of a layer's calls. */
import { CONTAINERS, isObject, layerName, layersOf, type LayerJson } from '../layers/layerConfig.js';
import type { Topology } from '../model.js';

/** The argument of each call; undefined if there is none. For a wiring in `[[name, node, tensor, kwargs], ...]`. */
function modesOf({ inbound_nodes: nodes }: LayerJson): unknown[] {
  return (Array.isArray(nodes) ? (nodes as unknown[]) : []).map((node) => {
    const first = Array.isArray(node) ? (node as unknown[])[0] : undefined;
    const kwargs = Array.isArray(first) ? (first as unknown[])[3] : undefined;
    return isObject(kwargs) ? kwargs.training : undefined;
  });
}

export type CallMode = 'inference' | 'always-training' | 'mixed' | null;

/** null: as in the call of the enclosing model. */
export function callMode(layer: LayerJson): CallMode {
  const modes = modesOf(layer);
  if (!modes.some((mode) => typeof mode === 'boolean')) return null;
  if (modes.every((mode) => mode === false)) return 'inference';
  return modes.includes(true) ? 'always-training' : 'mixed';
}

/** Names of the layers and nested models whose every call is with training=False. */
export function calledInInference(topology: Topology): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (container: LayerJson): void => {
    for (const layer of layersOf(container)) {
      if (callMode(layer) === 'inference') found.add(layerName(layer));
      if (CONTAINERS.has(layer.class_name)) visit(layer);
    }
  };
  visit(topology as unknown as LayerJson);
  return found;
}
