/** Merges of masked tensors as operations (Keras 3.15, keras/src/layers/merging). engine/masks/merging.ts has the same of TensorFlow.js. */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';

export type Masks = readonly (Node | null)[];

/** A step counts if it does in any input; if an input has no mask, the output has none. */
export function mergedMask(op: Operations, masks: Masks): Node | null {
  const all = masks.filter((mask) => mask !== null);
  return all.length > 0 && all.length === masks.length ? all.reduce((a, b) => op.binary('Maximum', a, b)) : null;
}

/** A mask beside a tensor, along whose channels it is repeated. */
export const wide = (op: Operations, mask: Node): Node => op.reshape(mask, [...mask.shape, 1]);

/** x where the mask is 1, else `other`. */
const where = (op: Operations, mask: Node, x: Node, other: Node): Node =>
  op.add(op.mul(x, mask), op.mul(other, op.sub(op.scalar(1), mask)));

const times = (op: Operations, x: Node, ...factors: readonly (Node | null)[]): Node =>
  factors.reduce<Node>((product, factor) => (factor ? op.mul(product, factor) : product), x);

/**
 * The product of the unmasked values; 0 if there are none and every input has a mask. Every term has a value as a factor, so that channels that are 0
 * are seen to stay 0.
 */
export function maskedProduct(op: Operations, inputs: readonly Node[], masks: Masks): Node {
  const [first, ...others] = masks.map((mask) => mask && wide(op, mask));
  let counts = first ?? null;
  let product = times(op, inputs[0]!, counts);
  inputs.slice(1).forEach((x, i) => {
    const mask = others[i] ?? null;
    const without = (of: Node): Node => op.sub(op.scalar(1), of);
    let next = times(op, product, x, mask);
    if (counts) next = op.add(next, times(op, x, without(counts), mask));
    if (mask) next = op.add(next, op.mul(product, without(mask)));
    counts = counts && mask ? op.binary('Maximum', counts, mask) : null;
    product = next;
  });
  return product;
}

/** The maximum, or minimum, of the unmasked values. */
export function maskedExtreme(
  op: Operations,
  kind: 'Maximum' | 'Minimum',
  inputs: readonly Node[],
  masks: Masks,
): Node {
  let output = inputs[0]!;
  let counts = masks[0] ? wide(op, masks[0]) : null;
  inputs.slice(1).forEach((input, i) => {
    const own = masks[i + 1];
    const mask = own ? wide(op, own) : null;
    const x = mask ? where(op, mask, input, output) : input;
    const before = counts ? where(op, counts, output, x) : output;
    counts = mask && counts ? op.binary('Maximum', counts, mask) : null;
    output = op.binary(kind, before, x);
  });
  return output;
}
