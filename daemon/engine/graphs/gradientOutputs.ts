import type { GraphOutput, Node } from '../../network/ir.js';
import { UserError } from '../../protocol/errors.js';

/** What messages say of a model that cannot be trained. */
interface Named {
  /** Its name in a sentence: a file, or "the model". */
  readonly name: string;
  /** All weights, trainable or not. */
  readonly weights: number;
  /** How some of them become trainable. */
  readonly wayOut: string;
}

/**
 * The gradients that a training graph gives: of each trainable weight that its loss depends on.
 * @param nodes gradients of the `trainable` weights, undefined where the loss does not depend on one.
 * @throws UserError('model-unsupported') where there are none at all: such a step would train nothing.
 */
export function gradientOutputs(
  { name, weights, wayOut }: Named,
  trainable: readonly { readonly name: string }[],
  nodes: readonly (Node | undefined)[],
): GraphOutput[] {
  const found = nodes.flatMap((node, i): GraphOutput[] =>
    node ? [{ role: 'gradient', name: trainable[i]!.name, node }] : [],
  );
  if (found.length > 0) return found;
  throw new UserError(
    'model-unsupported',
    trainable.length === 0
      ? `${name} cannot be trained: none of its ${weights} weights is trainable; ${wayOut}`
      : `${name} cannot be trained: its loss depends on none of its ${trainable.length} trainable weights, or only by steps and comparisons`,
  );
}
