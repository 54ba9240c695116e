/** Which entries of which weights belong to one neuron or filter, over a whole model of layers. */
import { entryGroups } from '../../network/structure/entryGroups.js';
import { unitGroupsOf } from '../../network/structure/unitGroups.js';
import type { ModelGraph } from '../layers/layerGraph.js';
import type { LayerSummary, Topology } from '../model.js';
import { depthwiseKernels, removableAxes } from '../networkGraph/rowUnits.js';
import { lowerLayers } from './lowering.js';

export type WeightUnits = Pick<LayerSummary['weights'][number], 'groups' | 'axes' | 'keepsZero'>;

/**
 * @param shapes of weights by name, where they are known.
 * @param graph of this very topology.
 * @returns by weight name, for kernels and unit vectors: see network/structure/entryGroups.ts. Weights without units of their own are absent.
 */
export function layerUnits(
  topology: Topology,
  shapes: ReadonlyMap<string, readonly number[]>,
  graph: ModelGraph,
): ReadonlyMap<string, WeightUnits> {
  const lowered = lowerLayers(topology, shapes, graph);
  const depthwise = depthwiseKernels(lowered.graph);
  const structure = unitGroupsOf(lowered.graph);
  const kernels = new Set(lowered.weights.flatMap(({ name, prunable }) => (prunable ? [name] : [])));
  const unitsOf = (name: string, groups: readonly number[]): WeightUnits => ({
    groups,
    ...(kernels.has(name) && { axes: removableAxes(structure.axes.get(name) ?? []) }),
    ...(depthwise.has(name) && { keepsZero: true as const }),
  });
  return new Map([...entryGroups(lowered, structure)].map(([name, groups]) => [name, unitsOf(name, groups)]));
}
