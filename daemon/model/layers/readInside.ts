/** Whether layers of the model read what an output gives. */
import { CONTAINERS, layerName, layersOf, type LayerJson } from './layerConfig.js';
import type { Topology } from '../model.js';

/** Whether a name stands anywhere in a value, such as in the calls of a layer. */
export const mentions = (value: unknown, name: unknown): boolean =>
  value === name ||
  (typeof value === 'object' && value !== null && Object.values(value).some((inner) => mentions(inner, name)));

/**
 * Whether a layer reads the output, or that of a model around it: other outputs may depend on it then, and its activation cannot
 * be taken off for the loss.
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
