/**
 * The order of a functional model's layers in Keras (keras/src/ops/function.py, map_graph): by their distance from the outputs, then in the order of
 * a walk from the outputs. Both formats find weights by position in that order, whatever the order of the file's list, so the list must be written in
 * it.
 */
import {
  CONTAINERS,
  field,
  isLayerJson,
  layerName,
  layersOf,
  type Json,
  type LayerJson,
} from '../layers/layerConfig.js';
import { endRefs, nodeRefs } from '../layers/layerGraph.js';
import type { Topology } from '../model.js';

interface Call {
  readonly layer: LayerJson;
  readonly inputs: readonly string[];
}

/** Layers that no output depends on are left out, as in Keras; inputs stay. */
function ordered(model: LayerJson): LayerJson[] {
  const calls = new Map<string, Call>();
  const key = ({ layer, node }: { layer: string; node: number }): string => `${node}#${layer}`;
  for (const layer of layersOf(model)) {
    const name = layerName(layer);
    if (layer.class_name === 'InputLayer') calls.set(key({ layer: name, node: 0 }), { layer, inputs: [] });
    // A container's own construction is its node 0.
    const first = CONTAINERS.has(layer.class_name) ? 1 : 0;
    const nodes = Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];
    nodes.forEach((node, i) => calls.set(key({ layer: name, node: i + first }), { layer, inputs: nodeRefs(node).map(key) }));
  }
  const met = new Map<LayerJson, number>();
  const finished = new Set<string>();
  const walk = (at: string): void => {
    const call = calls.get(at);
    if (!call || finished.has(at)) return;
    if (!met.has(call.layer)) met.set(call.layer, met.size);
    for (const input of call.inputs) walk(input);
    finished.add(at);
  };
  for (const ref of endRefs(field(model.config, 'output_layers'))) walk(key(ref));
  const depthOfCall = new Map<string, number>();
  const depth = new Map<LayerJson, number>();
  for (const at of [...finished].reverse()) {
    const { layer, inputs } = calls.get(at)!;
    const own = Math.max(depthOfCall.get(at) ?? 0, depth.get(layer) ?? 0);
    depth.set(layer, own);
    for (const input of inputs) depthOfCall.set(input, Math.max(own + 1, depthOfCall.get(input) ?? 0));
  }
  const kept = layersOf(model).filter((layer) => depth.has(layer) || layer.class_name === 'InputLayer');
  const rank = (layer: LayerJson) => ({ depth: depth.get(layer) ?? 0, met: met.get(layer) ?? -1 });
  return kept
    .map((layer) => ({ layer, ...rank(layer) }))
    .sort((a, b) => b.depth - a.depth || a.met - b.met)
    .map(({ layer }) => layer);
} // prettier-ignore

function reorder(layer: LayerJson): LayerJson {
  const inner = layer.config.layer;
  if (isLayerJson(inner)) return { ...layer, config: { ...layer.config, layer: reorder(inner) } };
  if (!CONTAINERS.has(layer.class_name)) return layer;
  const layers = layer.class_name === 'Sequential' ? layersOf(layer) : ordered(layer);
  return { ...layer, config: { ...layer.config, layers: layers.map(reorder) } };
}

/** The topology with every functional model's layers in Keras's order, nested ones included. */
export function inKerasOrder(topology: Topology): Topology {
  return reorder({ class_name: topology.class_name, config: topology.config as Json });
}
