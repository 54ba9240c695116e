/**
 * The structure of a network: which units it has, what they cost, and the network without those that do nothing. All of it is
 * read off an inference pass, whatever format the network comes from.
 */
import { GraphBuilder } from '../builder.js';
import type { Graph } from '../ir.js';
import type { Network } from '../network.js';
import { verified } from '../verify/verified.js';
import { flopsOf, type NetworkFlops } from './flops.js';
import { thinGraph, type ThinNetwork, type ThinOptions } from './thin.js';
import { type UnitGroups, unitGroupsOf } from './unitGroups.js';

/**
 * An inference pass of one sample.
 * @throws UserError('model-unsupported') naming the layer, where the network computes no batch of one.
 */
export function inferencePass(network: Network): Graph {
  const builder = new GraphBuilder();
  const data = network.inputs.map(({ shape }, index) => builder.input([1, ...shape], { role: 'data', index }));
  const roles = new Map(network.weights.map(({ name, shape, trainable }) => [name, { shape, trainable }]));
  const nodes = new Map(
    [...roles].map(([name, { shape, trainable }]) => [
      name,
      builder.input(shape, { role: trainable ? 'parameter' : 'state', name }),
    ]),
  );
  const { outputs } = network.pass(builder, { batch: 1, training: false, data, weight: (name) => nodes.get(name)! });
  return verified(
    builder.finish(outputs.map((node, index) => ({ node, role: 'output', ...(index > 0 && { index }) }))),
  );
}

/** Which slices of which weights can only be removed together, and why others stay. */
export const unitGroups = (network: Network): UnitGroups => unitGroupsOf(inferencePass(network));

/** FLOPs of one sample. */
export const flops = (network: Network): NetworkFlops => flopsOf(inferencePass(network));

/** The network without the units that no output depends on, for these weights (by name). */
export const thin = (
  network: Network,
  weights: ReadonlyMap<string, Float32Array>,
  options?: ThinOptions,
): ThinNetwork => thinGraph(inferencePass(network), weights, options);
