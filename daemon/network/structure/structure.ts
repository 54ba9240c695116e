/**
 * The structure of a network: its units, their cost, and the network without units that have no effect. It is derived from an
 * inference pass, whatever the format of the network's file.
 */
import type { Graph } from '../ir.js';
import type { Network } from '../network.js';
import { recordPass } from '../recordPass.js';
import { verified } from '../verify/verified.js';
import { flopsOf, type NetworkFlops } from './flops.js';
import { thinGraph, type ThinNetwork, type ThinOptions } from './thin.js';
import { type UnitGroups, unitGroupsOf } from './unitGroups.js';

/**
 * Records an inference pass.
 * @param batch number of samples; one, unless the network computes only another batch.
 * @throws UserError('model-unsupported') naming the layer that cannot compute such a batch.
 */
export function inferencePass(network: Network, batch = 1): Graph {
  const { pass, finish } = recordPass(network, batch);
  return verified(finish(pass.outputs.map((node, index) => ({ node, role: 'output', ...(index > 0 && { index }) }))));
}

/** The slices of weights that can only be removed together, and the reasons why others stay. */
export const unitGroups = (network: Network, batch?: number): UnitGroups => unitGroupsOf(inferencePass(network, batch));

/** FLOPs of a pass; of one sample unless another batch is given. */
export const flops = (network: Network, batch?: number): NetworkFlops => flopsOf(inferencePass(network, batch));

/** The network without the units that no output depends on, for these weights (by name). */
export const thin = (
  network: Network,
  weights: ReadonlyMap<string, Float32Array>,
  { batch, ...options }: ThinOptions & { readonly batch?: number } = {},
): ThinNetwork => thinGraph(inferencePass(network, batch), weights, options);
