/** Masks that layers make, as operations: 1 for what counts, 0 for what is left out. engine/masks has the same of TensorFlow.js. */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';

/** 1 for a token other than 0. */
export const tokenPresence = (op: Operations, x: Node): Node => op.cast(op.binary('NotEqual', x, 0), 'float32');

/** 1 if any number of a row (the last axis, which goes) differs from `value`. */
export const rowPresence = (op: Operations, x: Node, value: number): Node =>
  op.reduce('Max', op.cast(op.binary('NotEqual', x, value), 'float32'), [x.shape.length - 1]);
