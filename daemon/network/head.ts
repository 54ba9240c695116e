/** The activation at the end of a network. A cross-entropy takes it over and computes it stably from its input. */
import type { GraphBuilder } from './builder.js';
import type { Node } from './ir.js';

export interface OutputHead {
  readonly activation: 'softmax' | 'log-softmax' | 'sigmoid' | 'linear';
  /** The input of the activation; the output itself if there is no activation. */
  readonly logits: Node;
}

const ACTIVATIONS: Partial<Record<Node['op'], OutputHead['activation']>> = {
  Softmax: 'softmax',
  LogSoftmax: 'log-softmax',
  Sigmoid: 'sigmoid',
};

/**
 * @param output of a pass that `builder` recorded. Softmax and LogSoftmax are over the last axis, as the operations are. After a
 * reshape that changes the last axis they are not a head.
 */
export function outputHead(builder: GraphBuilder, output: Node): OutputHead {
  const own = ACTIVATIONS[output.op];
  if (own) return { activation: own, logits: output.inputs[0]! };
  // Element-wise operations are computed before a reshape (simplify.ts).
  const inner = output.op === 'Reshape' ? output.inputs[0]! : null;
  const activation = inner && ACTIVATIONS[inner.op];
  if (!activation || (activation !== 'sigmoid' && inner.shape.at(-1) !== output.shape.at(-1)))
    return { activation: 'linear', logits: output };
  const logits = builder.add({ op: 'Reshape', inputs: inner.inputs, shape: output.shape });
  return { activation, logits };
}
