import { GraphBuilder } from './builder.js';
import type { Graph, GraphOutput, Node } from './ir.js';
import type { Network, Pass, PassSpec } from './network.js';
import { withSizesThatFit } from './sizes.js';

/** A recorded pass, with the leaves that it was built from. */
export interface RecordedPass<P extends Pass = Pass> {
  readonly builder: GraphBuilder;
  /** One node per input, [batch, ...]. */
  readonly data: readonly Node[];
  /** Weights by name, of role `parameter` if they are trainable, else `state`. */
  readonly weights: ReadonlyMap<string, Node>;
  readonly pass: P;
  /** The graph of what these outputs need. @throws UserError('model-unsupported') naming the layer of an empty or too large tensor. */
  finish(outputs: readonly GraphOutput[]): Graph;
}

/**
 * Records one pass of a network into a graph of its own.
 * @param batch number of samples at once.
 * @throws UserError('model-unsupported') naming the layer that cannot be computed for this batch.
 */
export function recordPass<P extends Pass>(
  network: Pick<Network, 'inputs' | 'weights'> & { pass(builder: GraphBuilder, spec: PassSpec): P },
  batch: number,
  training = false,
): RecordedPass<P> {
  const builder = new GraphBuilder();
  const data = network.inputs.map(({ shape }, index) => builder.input([batch, ...shape], { role: 'data', index }));
  const weights = new Map(
    network.weights.map(({ name, shape, trainable }) => [
      name,
      builder.input(shape, { role: trainable ? 'parameter' : 'state', name }),
    ]),
  );
  const pass = network.pass(builder, {
    batch,
    training,
    data,
    weight(name) {
      const node = weights.get(name);
      if (!node) throw new RangeError(`the network has no weight "${name}"`);
      return node;
    },
  });
  return { builder, data, weights, pass, finish: (outputs) => withSizesThatFit(builder.finish(outputs)) };
}
