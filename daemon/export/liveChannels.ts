/** Finds the live channels of a network: those that its outputs depend on. */
import type { WeightTensor } from '../model/model.js';
import { channelCount, channelTies, type RoledCall } from '../model/layers/channelTies.js';
import { folds, forEachKept } from '../model/layers/linearMap.js';
import type { ChannelRole } from '../model/layerClasses/layerClass.js';
import { makesMask, readsMaskByChannel, staysUnderMasks } from '../model/layers/maskRules.js';
import type { Tensor, Wiring } from '../model/normalise/wiring.js';

export interface ChannelLife {
  readonly calls: readonly RoledCall[];
  /** Per tensor and channel: 1 when it is live: some output of the model depends on it in a way that cannot be folded. */
  alive(tensor: Tensor): Uint8Array;
  /** Per tensor and channel: its value if it is constant, NaN if it varies. */
  constants(tensor: Tensor): Float64Array;
  /**
   * Per tensor and channel: 1 when it stays in the thinned network. These are the live ones; if a layer has none, one dead one stays, because a layer
   * without units does not exist.
   */
  kept(tensor: Tensor): Uint8Array;
}

/** The constant's remaining value if a mask may skip steps. */
function underMasks(
  { node }: RoledCall['call'],
  { tied }: ChannelRole,
  given: readonly Float64Array[],
  channel: number,
  value: number,
): number {
  const { class_name: name } = node.layer;
  if (!readsMaskByChannel(name)) return value;
  const same = tied(channel).every((from) => given[from.input]![from.channel] === value);
  return same && staysUnderMasks(name, value) ? value : NaN;
}

function constantChannels(calls: readonly RoledCall[], tensors: readonly Tensor[]): Float64Array[] {
  const constants: Float64Array[] = tensors.map((tensor) => new Float64Array(channelCount(tensor)).fill(NaN));
  const masked = calls.some(({ call }) => makesMask(call.node.layer));
  for (const { call, role } of calls) {
    if (!role) continue;
    const given = call.inputs.map(({ id }) => constants[id]!);
    const own = role.constants(given);
    constants[call.outputs[0]!.id] = masked ? own.map((value, channel) => underMasks(call, role, given, channel, value)) : own; // prettier-ignore
  }
  return constants;
}

/**
 * Marks live channels from the outputs backwards (mark and sweep: a loop of dead units does not keep itself live).
 * @param weights by name.
 */
export function channelLife(wiring: Wiring, weights: ReadonlyMap<string, WeightTensor>): ChannelLife {
  const { calls, ties, pinned } = channelTies(wiring, (name) => weights.get(name));
  const live = pinned.slice();
  const constants = constantChannels(calls, wiring.tensors);
  for (let changed = true; changed;) {
    changed = false;
    for (const { call, role } of calls.toReversed()) {
      if (!role?.linear || role.linear.inputAxis === null) continue;
      const { linear } = role;
      const [input, output] = [call.inputs[0]!, call.outputs[0]!];
      const given = constants[input.id]!;
      const to = Int32Array.from({ length: channelCount(input) }, (_, c) => ties.of(input, c));
      const from = Uint8Array.from({ length: channelCount(output) }, (_, c) => live[ties.of(output, c)]!);
      forEachKept(linear, (_value, i, o) => {
        if (from[o] === 0 || live[to[i]!] === 1 || folds(linear, given[i]!)) return;
        live[to[i]!] = 1;
        changed = true;
      });
    }
  }
  const kept = live.slice();
  for (const tensor of wiring.tensors) {
    const n = channelCount(tensor);
    if (n > 0 && !Array.from({ length: n }, (_, c) => ties.of(tensor, c)).some((tie) => kept[tie] === 1))
      kept[ties.of(tensor, 0)] = 1;
  }
  const perChannel = (marks: Uint8Array, tensor: Tensor): Uint8Array =>
    Uint8Array.from({ length: channelCount(tensor) }, (_, c) => marks[ties.of(tensor, c)]!);
  return {
    calls,
    alive: (tensor) => perChannel(live, tensor),
    constants: (tensor) => constants[tensor.id]!,
    kept: (tensor) => perChannel(kept, tensor),
  };
}
