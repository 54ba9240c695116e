/** Which entries of which weights belong to one neuron or filter, over the whole network. */
import { channelTies } from './channelTies.js';
import type { ModelGraph } from './layerGraph.js';
import type { UnitAxis } from '../../lc/layerView.js';
import type { Topology, WeightTensor } from '../model.js';
import { wiringOf, type Tensor } from '../normalise/wiring.js';
import { sizeOf } from '../../protocol/shape.js';

/** Vectors that make a unit's output non-zero when its kernel is 0: they are removed with the unit. */
const GOES_ALONG = /\/(bias|gamma|beta)$/;

/** The units of a weight: entry i belongs to groups[i mod groups.length]; and of a kernel, the axes whose indices are removed with units. */
export interface WeightUnits {
  readonly groups: readonly number[];
  readonly axes: readonly UnitAxis[];
}

/**
 * Groups of units that can only be removed together, by number: a unit with its bias and normalisation, and every unit tied to it by additions,
 * depthwise convolutions and the like.
 * @param graph of this very topology.
 * @param shapes of the weights, by name.
 * @returns by weight name, for kernels and unit vectors; -1 if the unit cannot be removed (the model's outputs, layers that mix channels such as a
 * softmax, recurrent layers). Weights without units of their own are absent.
 */
export function unitGroups(
  topology: Topology,
  graph: ModelGraph,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, WeightUnits> {
  const shaped = (name: string): WeightTensor | undefined => {
    const shape = shapes.get(name);
    return shape && { name, shape, dtype: 'float32', data: new Float32Array(0) };
  };
  const { calls, ties, pinned } = channelTies(wiringOf(topology, graph), shaped);
  const numbers = new Map<number, number>();
  const groupsOf = (tensor: Tensor): number[] =>
    Array.from({ length: tensor.shape!.at(-1)! }, (_, channel) => {
      const tie = ties.of(tensor, channel);
      if (pinned[tie] === 1) return -1;
      let number = numbers.get(tie);
      if (number === undefined) numbers.set(tie, (number = numbers.size));
      return number;
    });
  const groups = new Map<string, readonly number[]>();
  for (const { call, role } of calls) {
    if (!role) continue;
    const { linear } = role;
    // The kernel of a transposed convolution ends in [filters, input channels]: a filter's group is repeated for each of these.
    const inputsBehind = linear ? sizeOf(linear.kernel.shape.slice(linear.outputAxis + 1)) : 1;
    // A depthwise filter before a pointwise kernel is removed with the channel it reads.
    if (linear?.depthwise) {
      const { name, shape } = linear.depthwise;
      const read = groupsOf(call.inputs[0]!);
      groups.set(name, read.flatMap((group) => new Array<number>(shape.at(-1)!).fill(group))); // prettier-ignore
    }
    const depthwise = call.node.weights.find(({ name }) => name.endsWith('/depthwise_kernel'));
    const kernel = linear ? linear.kernel.name : depthwise?.name;
    const along = role.cuts.filter(({ weight, side }) => side === 'output' && GOES_ALONG.test(weight.name));
    const names = [...(kernel === undefined ? [] : [kernel]), ...along.map(({ weight }) => weight.name)];
    if (names.length === 0) continue;
    const units = groupsOf(call.outputs[0]!);
    for (const name of names)
      groups.set(name, name === linear?.kernel.name ? units.flatMap((group) => new Array<number>(inputsBehind).fill(group)) : units); // prettier-ignore
  }
  const axes = new Map<string, UnitAxis[]>();
  for (const { call, role } of calls)
    for (const { weight, axis, side, entries = 1 } of role?.cuts ?? []) {
      const channels = groupsOf(side === 'input' ? call.inputs[0]! : call.outputs[0]!);
      const indices = channels.flatMap((group) => new Array<number>(entries).fill(group));
      axes.set(weight.name, [...(axes.get(weight.name) ?? []), { axis, groups: indices }]);
    }
  return new Map([...groups].map(([name, own]) => [name, { groups: own, axes: axes.get(name) ?? [] }]));
}
