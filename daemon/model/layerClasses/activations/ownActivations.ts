/**
 * Activation functions of Keras 3 that TensorFlow.js lacks (keras/src/activations/activations.py, keras/src/ops/nn.py of Keras 3.15), with the default
 * arguments of a function that a file names.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';

type Tensor = Core.Tensor;
type Tf = typeof Core;

export interface OwnActivation {
  /** The same as operations of a network; absent: it reads all channels, and none can be removed. */
  readonly forward?: (op: Operations, x: Node) => Node;
  readonly compute: (tf: Tf, x: Tensor) => Tensor;
}

/** "hard_silu" -> "hardSilu", as TensorFlow.js spells values of a config. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());

const hardSigmoid = (tf: Tf, x: Tensor): Tensor => tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1);
const hardSilu: OwnActivation = {
  forward: (op, x) => op.mul(x, op.clip(op.add(op.mul(x, 1 / 6), 0.5), 0, 1)),
  compute: (tf, x) => tf.mul(x, hardSigmoid(tf, x)),
};

/** Distance from 0 up to which hard_shrink and soft_shrink give 0. */
const SHRUNK = 0.5;

/**
 * The Euclidean projection of each row on the simplex (Martins and Astudillo 2016, algorithm 1), by comparing each number with each, because an engine
 * has no sorting: z is in the support if 1 + r z > s, with the number r and the sum s of those that are not below z.
 */
function sparsemax(tf: Tf, x: Tensor): Tensor {
  const own = tf.expandDims(x, -1);
  // 1 for each number that is not below: step(0) is 0, so the comparison is turned.
  const notBelow = tf.sub(1, tf.step(tf.sub(own, tf.expandDims(x, -2))));
  const count = tf.sum(notBelow, -1);
  const sum = tf.sum(tf.mul(notBelow, tf.expandDims(x, -2)), -1);
  const support = tf.step(tf.sub(tf.add(1, tf.mul(count, x)), sum));
  const threshold = tf.div(tf.sub(tf.sum(tf.mul(support, x), -1, true), 1), tf.sum(support, -1, true));
  return tf.relu(tf.sub(x, threshold));
}

export const OWN_ACTIVATIONS: Readonly<Record<string, OwnActivation>> = {
  celu: { forward: (op, x) => op.unary('Elu', x), compute: (tf, x) => tf.elu(x) },
  exponential: { forward: (op, x) => op.unary('Exp', x), compute: (tf, x) => tf.exp(x) },
  hard_shrink: {
    forward: (op, x) => op.mul(x, op.step(op.sub(op.unary('Abs', x), SHRUNK))),
    compute: (tf, x) => tf.mul(x, tf.step(tf.sub(tf.abs(x), SHRUNK))),
  },
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  hard_tanh: { forward: (op, x) => op.clip(x, -1, 1), compute: (tf, x) => tf.clipByValue(x, -1, 1) },
  log_sigmoid: {
    forward: (op, x) => op.neg(op.unary('Softplus', op.neg(x))),
    compute: (tf, x) => tf.neg(tf.softplus(tf.neg(x))),
  },
  soft_shrink: {
    forward: (op, x) => op.sub(x, op.clip(x, -SHRUNK, SHRUNK)),
    compute: (tf, x) => tf.sub(x, tf.clipByValue(x, -SHRUNK, SHRUNK)),
  },
  sparse_plus: {
    forward: (op, x) =>
      op.add(op.mul(op.unary('Square', op.add(op.clip(x, -1, 1), 1)), 0.25), op.unary('Relu', op.sub(x, 1))),
    compute: (tf, x) => tf.add(tf.div(tf.square(tf.add(tf.clipByValue(x, -1, 1), 1)), 4), tf.relu(tf.sub(x, 1))),
  },
  sparse_sigmoid: {
    forward: (op, x) => op.clip(op.add(op.mul(x, 0.5), 0.5), 0, 1),
    compute: (tf, x) => tf.clipByValue(tf.add(tf.mul(x, 0.5), 0.5), 0, 1),
  },
  sparsemax: { compute: sparsemax },
  squareplus: {
    forward: (op, x) => op.mul(op.add(x, op.unary('Sqrt', op.add(op.unary('Square', x), 4))), 0.5),
    compute: (tf, x) => tf.div(tf.add(x, tf.sqrt(tf.add(tf.square(x), 4))), 2),
  },
  tanh_shrink: { forward: (op, x) => op.sub(x, op.unary('Tanh', x)), compute: (tf, x) => tf.sub(x, tf.tanh(x)) },
};

const BY_CAMEL: ReadonlyMap<string, OwnActivation> = new Map(
  Object.entries(OWN_ACTIVATIONS).map(([name, activation]) => [camelCase(name), activation]),
);

/** The own activation of that name, in either spelling; undefined: TensorFlow.js has it, or it is unknown. */
export const ownActivation = (name: unknown): OwnActivation | undefined =>
  typeof name === 'string' ? BY_CAMEL.get(camelCase(name)) : undefined;

/** Functions of Keras 3 that no layer of a file can use, with the reason as the end of a sentence. */
export const REFUSED_ACTIVATIONS: Readonly<Record<string, string>> = {
  glu: 'uses the activation glu, which halves the channels while Keras builds the layers behind it for all of them; use two layers and a Multiply',
  threshold:
    'uses the activation threshold, which has no values for its arguments in a file; use a ReLU layer with a threshold',
};

/** Applies a config's activation, as TensorFlow.js's own layers do. No `activation`: x itself. */
export function activate(tf: Tf, config: Readonly<Record<string, unknown>>, x: Tensor): Tensor {
  const { activation } = config;
  if (typeof activation !== 'string' || activation === 'linear') return x;
  const found = tf.serialization.SerializationMap.getMap().classNameMap[camelCase(activation)];
  if (!found) throw new Error(`the activation ${activation} is not registered`);
  const [Activation] = found as unknown as [new (config: object) => { apply(x: Tensor): Tensor }];
  return new Activation({}).apply(x);
}
