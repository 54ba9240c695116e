/** Which channels of a network must be removed together, and which cannot be removed: the structure that thinning and neuron budgets share. */
import type { ChannelRole, Weights } from '../layerClasses/layerClass.js';
import { channelRole } from './channelRoles.js';
import { channelsOf } from './shape.js';
import type { Call, Tensor, Wiring } from '../normalise/wiring.js';

export interface RoledCall {
  readonly call: Call;
  /** null: no channel of its inputs and outputs can be removed. */
  readonly role: ChannelRole | null;
}

export const channelCount = (tensor: Tensor): number => channelsOf(tensor.shape) ?? 0;

/** Channels tied to each other through element-wise layers, merges and pooling, as a union-find forest. */
export class Ties {
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

/** Why no channel of a tensor can be removed: it is outside of the model, or a call needs all of them. */
export interface Pin {
  readonly tensor: Tensor;
  /** `fixed`: made by a linear map whose activation reads all units; `made` and `read`: by a call without a role. */
  readonly why: 'input' | 'output' | 'fixed' | 'made' | 'read';
  /** null for tensors outside of the model. */
  readonly call: Call | null;
}

export interface ChannelTies {
  readonly calls: readonly RoledCall[];
  readonly ties: Ties;
  readonly pins: readonly Pin[];
  /** Per tie: 1 if a channel cannot be removed: the model's inputs and outputs, and those that layers without a role read or make. */
  readonly pinned: Uint8Array;
}

const pinsOf = (wiring: Wiring, calls: readonly RoledCall[]): Pin[] => [
  ...wiring.inputs.map((tensor): Pin => ({ tensor, why: 'input', call: null })),
  ...wiring.outputs.map((tensor): Pin => ({ tensor, why: 'output', call: null })),
  ...calls.flatMap(({ call, role }): Pin[] => {
    if (role) return role.fixed ? call.outputs.map((tensor): Pin => ({ tensor, why: 'fixed', call })) : [];
    return [
      ...call.outputs.map((tensor): Pin => ({ tensor, why: 'made', call })),
      ...call.inputs.map((tensor): Pin => ({ tensor, why: 'read', call })),
    ];
  }),
];

/** @param weights by name; only their shapes are used. */
export function channelTies(wiring: Wiring, weights: Weights): ChannelTies {
  const calls = wiring.calls.map((call) => ({ call, role: channelRole(call, weights) }));
  const ties = new Ties(wiring.tensors);
  const pinned = new Uint8Array(ties.size);
  for (const { call, role } of calls) {
    const output = call.outputs[0]!;
    if (!role) continue;
    for (let c = 0; c < channelCount(output); c++)
      for (const { input, channel } of role.tied(c))
        ties.join(ties.of(output, c), ties.of(call.inputs[input]!, channel));
  }
  const pins = pinsOf(wiring, calls);
  for (const { tensor } of pins) for (let c = 0; c < channelCount(tensor); c++) pinned[ties.of(tensor, c)] = 1;
  return { calls, ties, pins, pinned };
}
