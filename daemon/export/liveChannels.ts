/** Which channels of a network its outputs need. */
import type { WeightTensor } from '../model/model.js';
import { channelRole, channelsOf, type ChannelRole } from './channelRoles.js';
import { folds, forEachKept } from './linearMap.js';
import type { Call, Tensor, Wiring } from './wiring.js';

export interface RoledCall {
  readonly call: Call;
  /** null: all channels of its inputs and outputs stay. */
  readonly role: ChannelRole | null;
}

export interface ChannelLife {
  readonly calls: readonly RoledCall[];
  /** Per tensor and channel: 1 when some output of the model depends on it in a way that cannot be folded. */
  alive(tensor: Tensor): Uint8Array;
  /** Per tensor and channel: the constant it is, NaN where it varies. */
  constants(tensor: Tensor): Float64Array;
  /**
   * Per tensor and channel: 1 when it keeps its place. The live ones, and where none is live one dead one, since a layer
   * without units does not exist.
   */
  kept(tensor: Tensor): Uint8Array;
}

/** Channels tied to each other through element-wise layers, merges and pooling, as a union-find forest. */
class Ties {
  private readonly parent: Int32Array;
  private readonly first: Int32Array;

  constructor(tensors: readonly Tensor[]) {
    this.first = new Int32Array(tensors.length + 1);
    for (const { id, shape } of tensors) this.first[id + 1] = this.first[id]! + (channelsOf(shape) ?? 0);
    this.parent = Int32Array.from({ length: this.first.at(-1)! }, (_, i) => i);
  }

  get size(): number {
    return this.parent.length;
  }

  of(tensor: Tensor, channel: number): number {
    let i = this.first[tensor.id]! + channel;
    while (this.parent[i] !== i) i = this.parent[i] = this.parent[this.parent[i]!]!;
    return i;
  }

  join(a: number, b: number): void {
    this.parent[Math.max(a, b)] = Math.min(a, b);
  }
}

const channelCount = (tensor: Tensor): number => channelsOf(tensor.shape) ?? 0;

function constantChannels(calls: readonly RoledCall[], tensors: readonly Tensor[]): Float64Array[] {
  const constants: Float64Array[] = tensors.map((tensor) => new Float64Array(channelCount(tensor)).fill(NaN));
  for (const { call, role } of calls) {
    if (role) constants[call.outputs[0]!.id] = role.constants(call.inputs.map(({ id }) => constants[id]!));
  }
  return constants;
}

/**
 * Marks what is needed, from the outputs backwards (mark and sweep: a loop of dead units does not keep itself alive).
 * @param weights by name.
 */
export function channelLife(wiring: Wiring, weights: ReadonlyMap<string, WeightTensor>): ChannelLife {
  const calls = wiring.calls.map((call) => ({ call, role: channelRole(call, (name) => weights.get(name)) }));
  const ties = new Ties(wiring.tensors);
  const live = new Uint8Array(ties.size);
  for (const { call, role } of calls) {
    const output = call.outputs[0]!;
    if (!role) continue;
    for (let c = 0; c < channelCount(output); c++)
      for (const { input, channel } of role.tied(c))
        ties.join(ties.of(output, c), ties.of(call.inputs[input]!, channel));
  }
  const pin = (tensor: Tensor): void => {
    for (let c = 0; c < channelCount(tensor); c++) live[ties.of(tensor, c)] = 1;
  };
  [...wiring.inputs, ...wiring.outputs].forEach(pin);
  for (const { call, role } of calls) {
    if (!role || role.fixed) call.outputs.forEach(pin);
    if (!role) call.inputs.forEach(pin);
  }
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
