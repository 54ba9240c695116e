/** The network as a graph of its layers: the inputs of each, and which of its units can be removed. */
import { unitGroupsOf } from '../../network/structure/unitGroups.js';
import type { LayerLinks, LayerUnits } from '../../protocol/layers/networkGraph.js';
import { lowerLayers, type LoweredCall } from '../layersNetwork/lowering.js';
import type { LayersModel } from '../model.js';
import { rowUnits } from './rowUnits.js';

/** The units of a layer without operations: it has weights, but none of its units can be removed. */
function stayingUnits({ call }: LoweredCall): LayerUnits | null {
  const { node, outputs } = call;
  if (!node.weights.some(({ prunable }) => prunable)) return null;
  const count = outputs[0]?.shape?.at(-1) ?? 0;
  return { count, staying: count, causes: [{ why: 'mixes', layer: node.path }], goWith: [], tiedBy: [] };
}

/** An index of each gate of a recurrent layer is one unit: its recurrent kernel is [units, gates * units]. */
function counted({ call }: LoweredCall, found: LayerUnits | null): LayerUnits | null {
  const shape = call.node.weights.find(({ name }) => name.endsWith('/recurrent_kernel'))?.shape;
  if (!found || !shape) return found;
  const gates = (shape.at(-1) ?? 1) / (shape.at(-2) ?? 1);
  return { ...found, count: found.count / gates, staying: found.staying / gates };
}

/**
 * By layer (as `summarizeLayers` names them). What is called a unit is what neuron budgets and thinning remove.
 * @param model its weights are needed for their shapes only.
 */
export function layerLinks({ topology, weights }: Pick<LayersModel, 'topology' | 'weights'>): Map<string, LayerLinks> {
  const lowered = lowerLayers(topology, new Map(weights.map(({ name, shape }) => [name, shape])));
  const units = rowUnits(lowered, unitGroupsOf(lowered.graph), lowered.outside);
  const makers = new Map<number, string>();
  for (const { call } of lowered.calls) for (const { id } of call.outputs) makers.set(id, call.node.path);
  const links = new Map<string, LayerLinks>();
  for (const one of lowered.calls) {
    const { inputs, node } = one.call;
    const before = links.get(node.path);
    const reads = inputs.flatMap(({ id }) => makers.get(id) ?? []);
    links.set(node.path, {
      reads: [...new Set([...(before?.reads ?? []), ...reads])],
      units: before?.units ?? (one.isLowered ? counted(one, units(node.path)) : stayingUnits(one)),
    });
  }
  return links;
}
