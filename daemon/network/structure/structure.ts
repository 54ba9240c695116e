/**
 * The structure of a network: its units, their cost, and the network without units that have no effect. It is derived from an
 * inference pass, whatever the format of the network's file.
 */
import { GraphBuilder } from '../builder.js';
import type { Graph } from '../ir.js';
import type { Network } from '../network.js';
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
  const builder = new GraphBuilder();
  const data = network.inputs.map(({ shape }, index) => builder.input([batch, ...shape], { role: 'data', index }));
  const nodes = new Map(
    network.weights.map(({ name, shape, trainable }) => [
      name,
      builder.input(shape, { role: trainable ? 'parameter' : 'state', name }),
    ]),
  );
  const { outputs } = network.pass(builder, { batch, training: false, data, weight: (name) => nodes.get(name)! });
  return verified(
    builder.finish(outputs.map((node, index) => ({ node, role: 'output', ...(index > 0 && { index }) }))),
  );
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
