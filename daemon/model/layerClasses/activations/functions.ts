/** Activation functions as operations of a network, by the `activation` of a layer's config (tfjs-layers 4.22, activations.js). */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { ownActivation } from './ownActivations.js';

type Activation = (op: Operations, x: Node) => Node;

const swish: Activation = (op, x) => op.mul(x, op.unary('Sigmoid', x));

/** Of the last axis. */
const lastAxis =
  (name: 'Softmax' | 'LogSoftmax'): Activation =>
  (op, x) =>
    op.graph.add({ op: name, inputs: [x], shape: x.shape });

export const softmax = lastAxis('Softmax');

const FUNCTIONS: Readonly<Record<string, Activation>> = {
  linear: (_op, x) => x,
  relu: (op, x) => op.unary('Relu', x),
  relu6: (op, x) => op.unary('Relu6', x),
  elu: (op, x) => op.unary('Elu', x),
  selu: (op, x) => op.unary('Selu', x),
  sigmoid: (op, x) => op.unary('Sigmoid', x),
  hardsigmoid: (op, x) => op.clip(op.add(op.mul(x, 0.2), 0.5), 0, 1),
  tanh: (op, x) => op.unary('Tanh', x),
  softplus: (op, x) => op.unary('Softplus', x),
  softsign: (op, x) => op.div(x, op.add(op.unary('Abs', x), 1)),
  swish,
  silu: swish,
  mish: (op, x) => op.mul(x, op.unary('Tanh', op.unary('Softplus', x))),
  gelu: (op, x) => op.mul(op.mul(x, 0.5), op.add(op.unary('Erf', op.mul(x, Math.SQRT1_2)), 1)),
  // Hendrycks and Gimpel 2016, section 2: the approximation by tanh.
  gelunew(op, x) {
    const cubic = op.add(x, op.mul(op.mul(x, op.unary('Square', x)), 0.044715));
    return op.mul(op.mul(x, 0.5), op.add(op.unary('Tanh', op.mul(cubic, Math.sqrt(2 / Math.PI))), 1));
  },
  softmax,
  logsoftmax: lastAxis('LogSoftmax'),
};

/**
 * Applies an `activation` ("hard_sigmoid" and "hardSigmoid" are one; none is linear).
 * @returns null if it is unknown, or has no operations.
 */
export function applyActivation(op: Operations, activation: unknown, x: Node): Node | null {
  if (activation === undefined || activation === null) return x;
  if (typeof activation !== 'string') return null;
  const other = ownActivation(activation);
  if (other) return other.forward?.(op, x) ?? null;
  const name = activation.replaceAll('_', '').toLowerCase();
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]!(op, x) : null;
}
