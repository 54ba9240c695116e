/** Whether layers of the model read an output. */
import { CONTAINERS, layerName, layersOf, type LayerJson } from './layerConfig.js';
import type { Topology } from '../model.js';

/** Whether a value contains a name at any depth, such as in the calls of a layer. */
export const mentions = (value: unknown, name: unknown): boolean =>
  value === name ||
  (typeof value === 'object' && value !== null && Object.values(value).some((inner) => mentions(inner, name)));

/**
 * Whether a layer reads the output, or that of an enclosing model: other outputs may then depend on it, and its activation cannot be removed for the
 * loss.
 * @param output path of the layer that makes it ("head/o1").
 */
export function isReadInside(topology: Topology, output: string): boolean {
  const visit = (container: LayerJson, [name, ...inside]: readonly string[]): boolean => {
    const layers = layersOf(container);
    const layer = layers.find((one) => layerName(one) === name);
    if (!layer) return false;
    return (
      layers.some((one) => mentions(one.inbound_nodes, name)) ||
      (CONTAINERS.has(layer.class_name) && visit(layer, inside))
    );
  };
  return visit(topology as unknown as LayerJson, output.split('/'));
}
