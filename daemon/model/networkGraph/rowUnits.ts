/** The units of a row of a model's table (a layer or an operation), and why they stay: what the structure of its network says of it. */
import type { UnitAxis } from '../../lc/layerView.js';
import type { Graph, Node } from '../../network/ir.js';
import type { Network } from '../../network/network.js';
import type { Reason } from '../../network/structure/reasons.js';
import type { AxisUnits, UnitGroups } from '../../network/structure/unitGroups.js';
import type { LayerUnits, StayCause } from '../../protocol/layers/networkGraph.js';

/** Kernels of depthwise convolutions, which scale channel by channel: a channel that is 0 stays 0. */
export function depthwiseKernels({ nodes, inputs }: Graph): ReadonlySet<string> {
  const names = new Map(inputs.flatMap((input) => ('name' in input ? [[input.node, input.name] as const] : [])));
  const source = (node: Node): string | undefined =>
    names.get(node) ?? (node.inputs.length === 1 ? source(node.inputs[0]!) : undefined);
  const filters = nodes.filter(({ op }) => op.startsWith('Depthwise')).map(({ inputs: [, filter] }) => source(filter!));
  return new Set(filters.filter((name) => name !== undefined));
}

/**
 * The axes [from, to) of a kernel that hold its units, where they are not the last one alone: the channels and their multiplier of a
 * depthwise filter, the filters of a transposed convolution. null: the last one.
 */
export function unitAxesOf(
  shape: readonly number[],
  axes: readonly AxisUnits[],
  isDepthwise: boolean,
): readonly [from: number, to: number] | null {
  const own = axes.find(({ side }) => side === 'makes' || side === 'both');
  if (!own || own.axis === shape.length - 1) return null;
  return [own.axis, isDepthwise ? shape.length : own.axis + 1];
}

/** The axes that lose indices with units. */
export const removableAxes = (axes: readonly AxisUnits[]): UnitAxis[] =>
  axes
    .filter(({ groups }) => groups.some((group) => group >= 0))
    .map(({ axis, groups }) => ({ axis, groups: [...groups] }));

function causeOf({ why, layer, node }: Reason, outside: ReadonlyMap<Node, StayCause>): StayCause {
  if (layer === null) return outside.get(node) ?? { why: why === 'input' ? 'input' : 'output', layer: null };
  return { why: why === 'softmax' ? 'softmax' : 'mixes', layer };
}

/** Each once, in the order in which they were met. */
const distinct = (causes: readonly StayCause[]): StayCause[] => [
  ...new Map(causes.map((cause) => [`${cause.why} ${cause.layer}`, cause])).values(),
];

const MERGES: ReadonlySet<string> = new Set(['sum', 'product', 'concatenation']);

/**
 * @param outside the causes that lie in what reads outputs of the network, or makes its inputs, instead of outside of the model.
 * @returns of a row, the units of its last kernel, along the longest axis; null where it makes none.
 */
export function rowUnits(
  { weights }: Pick<Network, 'weights'>,
  structure: UnitGroups,
  outside: ReadonlyMap<Node, StayCause> = new Map(),
): (row: string) => LayerUnits | null {
  /** By row, its last kernel and the axes of units that this makes. */
  const kernels = new Map<string, { readonly name: string; readonly axes: readonly AxisUnits[] }>();
  /** The rows that make the units of a group. */
  const makers = new Map<number, Set<string>>();
  for (const { name, layer, prunable } of weights) {
    if (!prunable) continue;
    const axes = (structure.axes.get(name) ?? []).filter(({ side }) => side === 'makes' || side === 'both');
    kernels.set(layer, { name, axes });
    for (const { groups } of axes)
      for (const group of groups) if (group >= 0) makers.set(group, (makers.get(group) ?? new Set()).add(layer));
  }
  return (row) => {
    const { name, axes = [] } = kernels.get(row) ?? {};
    if (axes.length === 0) return null;
    const units = axes.reduce((most, one) => (one.groups.length > most.groups.length ? one : most));
    const free = [...new Set(units.groups)].filter((group) => group >= 0);
    const goWith = [...new Set(free.flatMap((group) => [...makers.get(group)!]))].filter((other) => other !== row);
    const reasons = structure.reasons.filter((reason) => reason.weight === name && reason.axis === units.axis);
    // Units of one row are tied alike, but for those that a concatenation cuts: the first and the last say both.
    const asked = goWith.length === 0 ? [] : [free[0]!, free.at(-1)!];
    const tiedBy = asked.flatMap((group) => structure.ties(group)).filter(({ coupling }) => MERGES.has(coupling));
    return {
      count: units.groups.length,
      staying: units.groups.reduce((sum, group) => sum + Number(group < 0), 0),
      causes: distinct(reasons.map((reason) => causeOf(reason, outside))),
      goWith,
      tiedBy: [...new Set(tiedBy.map(({ layer }) => layer))],
    };
  };
}
