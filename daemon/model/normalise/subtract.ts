/** Keras's Subtract, which TensorFlow.js does not have: a - b is a + (-1 b), exactly, with the masks of both. */
import { layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import type { Notes } from '../notes.js';
import type { Refuse } from '../layers/refuse.js';

/** Replaces each Subtract of a functional container by an Add, with a Rescaling before its second input; in place. */
export function subtractAsAdd(
  container: LayerJson,
  where: string,
  notes: Notes,
  refuseAt: (where: string) => Refuse,
): void {
  const taken = new Set(layersOf(container).map(layerName));
  container.config.layers = layersOf(container).flatMap((layer) => {
    if (layer.class_name !== 'Subtract') return [layer];
    const at = where + layerName(layer);
    const nodes = (layer.inbound_nodes ?? []) as Json[][];
    if (nodes.length === 0 || nodes.some((refs) => refs.length !== 2)) refuseAt(at)('subtracts other than two tensors');
    let name = `${layerName(layer)}_negated`;
    while (taken.has(name)) name += '_';
    taken.add(name);
    const negated: LayerJson = {
      class_name: 'Rescaling',
      name,
      config: { name, trainable: true, scale: -1, offset: 0 },
      inbound_nodes: nodes.map((refs) => [refs[1]!]),
    };
    const sum: LayerJson = {
      class_name: 'Add',
      name: layerName(layer),
      config: { name: layerName(layer), trainable: true },
      inbound_nodes: nodes.map((refs, call) => [refs[0]!, [name, call, 0, {}]]),
    };
    notes.add('Subtract, which TensorFlow.js does not have, became the sum with the negated', at);
    return [negated, sum];
  });
}
