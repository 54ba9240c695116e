import type { GraphOutput, Node } from '../../network/ir.js';
import { UserError } from '../../protocol/errors.js';

/**
 * The gradients that a training graph gives: of each trainable weight that its loss depends on.
 * @param model as messages call it. @param trainable names of weights; `nodes` their gradients.
 * @throws UserError('model-unsupported') where there are none at all: such a step would train nothing.
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
