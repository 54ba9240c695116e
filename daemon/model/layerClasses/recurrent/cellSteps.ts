/**
 * One step of each recurrent cell as operations, in inference (keras/src/layers/rnn of Keras 3.15: simple_rnn.py, gru.py, lstm.py; Hochreiter and
 * Schmidhuber 1997, Cho et al. 2014). Gates lie side by side along the last axis of the weights.
 */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { field, type Json } from '../../layers/layerConfig.js';
import { applyActivation } from '../activations/functions.js';

/**
 * @param x [batch, features]. @param states [batch, units] each; the first is the last output.
 * @param weights kernel [features, gates * units], recurrent_kernel [units, gates * units], bias [gates * units] if the config has one
 * @returns the next states, of which the first is the output; null if an activation has no operations.
 */
export type CellStep = (
  op: Operations,
  config: Json,
  x: Node,
  states: readonly Node[],
  weights: Readonly<Record<string, Node>>,
) => Node[] | null;

/** Entries of the last axis. */
function columns(op: Operations, x: Node, from: number, length: number): Node {
  const last = x.shape.length - 1;
  return op.slice(x, x.shape.map((_, axis) => (axis === last ? from : 0)), x.shape.with(last, length)); // prettier-ignore
}

const activated = (op: Operations, config: Json, x: Node): Node | null =>
  applyActivation(op, field(config, 'activation') ?? 'tanh', x);

const opened = (op: Operations, config: Json, x: Node): Node | null =>
  applyActivation(op, field(config, 'recurrent_activation') ?? 'hard_sigmoid', x);

const biased = (op: Operations, x: Node, bias: Node | undefined): Node => (bias ? op.add(x, bias) : x);

/** h' = f(x W + h R + b). */
export const simpleStep: CellStep = (op, config, x, [h], { kernel, recurrent_kernel: recurrent, bias }) => {
  const sum = op.add(biased(op, op.matMul(x, kernel!), bias), op.matMul(h!, recurrent!));
  const next = activated(op, config, sum);
  return next && [next];
};

/** Gates i, f, candidate g, o. c' = f c + i g; h' = o tanh(c'). */
export const lstmStep: CellStep = (op, config, x, [h, c], { kernel, recurrent_kernel: recurrent, bias }) => {
  const units = h!.shape[1]!;
  const sum = biased(op, op.add(op.matMul(x, kernel!), op.matMul(h!, recurrent!)), bias);
  const gate = (k: number): Node => columns(op, sum, k * units, units);
  const [i, f, o] = [0, 1, 3].map((k) => opened(op, config, gate(k)));
  const g = activated(op, config, gate(2));
  if (!i || !f || !o || !g) return null;
  const next = op.add(op.mul(f, c!), op.mul(i, g));
  const shown = activated(op, config, next);
  return shown && [op.mul(o, shown), next];
};

/** Gates z, r, candidate. h' = z h + (1 - z) candidate. With reset_after, r is applied behind the product with the state, which has a bias of its own. */
export const gruStep =
  (isResetAfter: (config: Json) => boolean): CellStep =>
  (op, config, x, [h], { kernel, recurrent_kernel: recurrent, bias }) => {
    const units = h!.shape[1]!;
    const after = isResetAfter(config);
    const width = 3 * units;
    const row = (k: number): Node | undefined =>
      bias && (after ? op.reshape(op.slice(bias, [k, 0], [1, width]), [width]) : k === 0 ? bias : undefined);
    const own = biased(op, op.matMul(x, kernel!), row(0));
    const gate = (of: Node, k: number): Node => columns(op, of, k * units, units);
    const state = after
      ? biased(op, op.matMul(h!, recurrent!), row(1))
      : op.matMul(h!, columns(op, recurrent!, 0, 2 * units));
    const [z, r] = [0, 1].map((k) => opened(op, config, op.add(gate(own, k), gate(state, k))));
    if (!z || !r) return null;
    const hidden = after ? op.mul(r, gate(state, 2)) : op.matMul(op.mul(r, h!), gate(recurrent!, 2));
    const candidate = activated(op, config, op.add(gate(own, 2), hidden));
    return candidate && [op.add(op.mul(z, h!), op.mul(op.sub(op.scalar(1), z), candidate))];
  };
