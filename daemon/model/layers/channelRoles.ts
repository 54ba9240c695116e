import type { ChannelRole, Weights } from '../layerClasses/layerClass.js';
import { classOf } from '../layerClasses/registry.js';
import type { Call } from '../normalise/wiring.js';
import { channelsOf } from './shape.js';

/** The role of a call; null for a layer whose channels cannot be removed (layers that mix channels, recurrent or unknown ones). */
export function channelRole(call: Call, weights: Weights): ChannelRole | null {
  const known = [...call.inputs, ...call.outputs].every(({ shape }) => shape !== null && channelsOf(shape) !== null);
  // A layer called on several tensors has one kernel for all of them.
  if (!known || call.outputs.length !== 1 || call.node.calls.length > 1) return null;
  return classOf(call.node.layer.class_name)?.channels?.(call, weights) ?? null;
}
