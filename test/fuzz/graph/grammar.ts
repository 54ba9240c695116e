/** Random graphs over all operations of daemon/network/ir.ts. */
import type { Node, Op } from '../../../daemon/network/ir.js';
import { alongAxes } from './alongAxes.js';
import { elementwise, type Production } from './elementwise.js';
import { Growth } from './growth.js';
import { products } from './products.js';

/** How random graphs get each operation. Leaves need no rule, and the gradient of max pooling comes only from differentiation. */
export const productions: Readonly<Record<Exclude<Op, 'Input' | 'Constant' | 'MaxPoolGrad'>, Production>> = {
  ...elementwise,
  ...alongAxes,
  ...products,
};

export const operationsOfGrammar = Object.keys(productions) as (keyof typeof productions)[];

/** A graph of what is to be differentiated. */
export interface Sample {
  readonly growth: Growth;
  readonly loss: Node;
}

/** Adds several operations, each on existing or new operands. */
export function randomGraph(seed: number): Sample {
  const growth = new Growth(seed);
  const length = growth.between(3, 14);
  for (let i = 0; i < length; i++) growth.keep(productions[growth.one(operationsOfGrammar)](growth));
  return { growth, loss: growth.loss() };
}

/** Adds one operation, mostly on new inputs. */
export function oneOperation(op: keyof typeof productions, seed: number): Sample {
  const growth = new Growth(seed, 0);
  growth.keep(productions[op](growth));
  return { growth, loss: growth.loss() };
}
