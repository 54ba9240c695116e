/**
 * The order of a shared layer's calls. A tensor is named by its layer and the number of the call that made it. Keras counts calls in the order of the
 * file; TensorFlow.js (tfjs-layers 4.22, Container.fromConfig) in the order in which it can make them: a call whose input does not exist yet is
 * deferred, and the layer's next call takes its number. A layer that is shared at several depths then reads other tensors than in the file.
 */
import { CONTAINERS, layerName, layersOf, type LayerJson } from '../layers/layerConfig.js';
import { nodeRefs } from '../layers/layerGraph.js';

/** A container's own construction is its node 0 in TensorFlow.js, so its calls are counted from 1. */
export const firstCall = (layer: LayerJson): number => (CONTAINERS.has(layer.class_name) ? 1 : 0);

const callsOf = (layer: LayerJson): unknown[] =>
  Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];

/**
 * The order in which TensorFlow.js makes each layer's calls: it iterates over the layers, and makes what it can. Calls that can never be made (a
 * cycle, a missing tensor) come last, in the file's order.
 */
function orderMade(layers: readonly LayerJson[]): Map<LayerJson, number[]> {
  const key = (layer: string, node: number): string => `${node}#${layer}`;
  const made = new Set(layers.filter((layer) => callsOf(layer).length === 0).map((layer) => key(layerName(layer), 0)));
  const order = new Map(layers.map((layer) => [layer, [] as number[]]));
  const waiting = new Map(layers.map((layer) => [layer, [...callsOf(layer).keys()]]));
  for (let before = -1; before !== made.size;) {
    before = made.size;
    for (const layer of layers) {
      const later: number[] = [];
      for (const i of waiting.get(layer)!) {
        if (!nodeRefs(callsOf(layer)[i]).every((ref) => made.has(key(ref.layer, ref.node)))) later.push(i);
        else {
          order.get(layer)!.push(i);
          made.add(key(layerName(layer), i + firstCall(layer)));
        }
      }
      waiting.set(layer, later);
    }
  }
  for (const [layer, rest] of waiting) order.get(layer)!.push(...rest);
  return order;
}

/**
 * Sorts the calls of a functional container's layers into the order in which TensorFlow.js makes them, and renumbers the references to them; the
 * network is unchanged. In place.
 * @param references every `[layer, node, ...]` of the container.
 * @returns the names of the layers whose calls were reordered.
 */
export function orderCalls(container: LayerJson, references: () => Iterable<unknown[]>): string[] {
  const layers = layersOf(container);
  const changed = new Set<string>();
  // Calls in their new order are made at the same time or earlier, never later: so this terminates.
  for (;;) {
    const places = new Map<string, ReadonlyMap<number, number>>();
    for (const [layer, order] of orderMade(layers)) {
      if (order.every((from, to) => from === to)) continue;
      const first = firstCall(layer);
      places.set(layerName(layer), new Map(order.map((from, to) => [from + first, to + first])));
      const calls = callsOf(layer);
      layer.inbound_nodes = order.map((from) => calls[from]);
      changed.add(layerName(layer));
    }
    if (places.size === 0) return [...changed];
    for (const ref of references()) ref[1] = places.get(ref[0] as string)?.get(ref[1] as number) ?? ref[1];
  }
}
