import type { GraphOutput, Node } from '../../network/ir.js';
import { UserError } from '../../protocol/errors.js';

/**
 * The gradient outputs of a training graph: one for each trainable weight that the loss depends on.
 * @param model its name in messages. @param trainable names of weights; `nodes` are their gradients, in the same order.
 * @throws UserError('model-unsupported') if the loss depends on no trainable weight: such a step would train nothing.
 */
export function gradientOutputs(
  model: string,
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
      ? `${model}: none of its weights is trainable, so there is nothing to train`
      : `${model}: no gradient reaches any of its ${trainable.length} trainable weights from the loss`,
  );
}
