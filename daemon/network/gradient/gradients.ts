import type { GraphBuilder } from '../builder.js';
import type { Node, Op } from '../ir.js';
import { sameShape } from '../ir.js';
import { Operations } from '../operations.js';
import { binaryRules, choiceRules } from './binary.js';
import { convolutionRules } from './convolution.js';
import { lookupRules } from './lookup.js';
import { movementRules } from './movement.js';
import { poolingRules } from './pooling.js';
import { productRules } from './products.js';
import { reductionRules } from './reductions.js';
import type { GradientRule } from './rule.js';
import { unaryRules } from './unary.js';

/** The gradient rule of each operation. An operation without a rule does not compile. */
const rules: Readonly<Record<Exclude<Op, 'Input' | 'Constant'>, GradientRule>> = {
  ...unaryRules,
  ...binaryRules,
  ...choiceRules,
  ...reductionRules,
  ...movementRules,
  ...lookupRules,
  ...productRules,
  ...(convolutionRules as Record<ConvolutionOp, GradientRule>),
  ...poolingRules,
};

type ConvolutionOp = Extract<Op, `${string}Conv2D${string}`>;

/**
 * A composition with its own gradient: a stable form that the gradients of its single operations do not have, or a convention of
 * the format. It replaces the gradients of all nodes between its node and `inputs`.
 */
export interface OwnGradient {
  readonly inputs: readonly Node[];
  /** For each input its gradient, or null if it has none. */
  readonly rule: (dy: Node) => readonly (Node | null)[];
}

/**
 * Reverse-mode differentiation: nodes of dy/dx for each x, added to the builder. [Griewank & Walther 2008, Evaluating
 * Derivatives, chapter 3]
 *
 * @param y a float32 scalar.
 * @param xs any nodes of the builder. For an inner node of the graph the result is its total derivative.
 * @param own compositions that have their own gradient, by the node of their value.
 * @returns for each x its gradient, of its shape. It is undefined if y does not depend on x, or only through operations
 *   that are constant almost everywhere (comparisons, rounding, indices).
 * @throws UserError('model-unsupported') naming the layer, if an operation cannot be differentiated (`maxPoolGrad`).
 * @throws RangeError if y is not a scalar.
 */
export function gradients(
  builder: GraphBuilder,
  y: Node,
  xs: readonly Node[],
  own: ReadonlyMap<Node, OwnGradient> = new Map(),
): (Node | undefined)[] {
  if (y.dtype !== 'float32' || !sameShape(y.shape, []))
    throw new RangeError(`gradients are of a float32 scalar; it is ${y.dtype} [${y.shape}]`);
  const sources = (node: Node) => own.get(node)?.inputs ?? node.inputs;
  const path = between(y, new Set(xs), sources);
  const make = new Operations(builder);
  const sums = new Map<Node, BalancedSum>([[y, new BalancedSum(make)]]);
  sums.get(y)!.add(make.scalar(1));
  const { layer } = builder;
  const found = new Map<Node, Node>();
  for (const node of path) {
    const dy = sums.get(node)?.total();
    sums.delete(node);
    if (!dy) continue;
    found.set(node, dy);
    builder.layer = node.layer;
    const parts = partsOf(node, dy, make, own.get(node));
    sources(node).forEach((input, i) => {
      const part = path.has(input) ? parts[i]?.() : undefined;
      if (!part || part.constant === 0) return;
      if (!sums.has(input)) sums.set(input, new BalancedSum(make));
      sums.get(input)!.add(part);
    });
  }
  builder.layer = layer;
  return xs.map((x) => found.get(x));
}

function partsOf(
  node: Node,
  dy: Node,
  make: Operations,
  own: OwnGradient | undefined,
): readonly ((() => Node | null) | null)[] {
  if (own) return own.rule(dy).map((part) => () => part);
  if (node.op === 'Input' || node.op === 'Constant') return [];
  return rules[node.op]({ make, y: node, inputs: node.inputs, dy });
}

/** The float32 nodes between y and xs, including both, from y downwards. */
function between(y: Node, xs: ReadonlySet<Node>, sources: (node: Node) => readonly Node[]): Set<Node> {
  const above = new Set<Node>();
  const stack = [y];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (above.has(node)) continue;
    above.add(node);
    stack.push(...sources(node).filter(({ dtype }) => dtype === 'float32'));
  }
  const upwards = [...above].sort((a, b) => a.id - b.id);
  const path = new Set<Node>();
  for (const node of upwards) if (xs.has(node) || sources(node).some((input) => path.has(input))) path.add(node);
  return new Set([...path].reverse());
}

/**
 * Sums nodes as they come, in a balanced tree: the rounding error and the number of partial sums that are kept grow with the logarithm
 * of the count. (Each partial sum has 2^k terms, as in a binary counter.) Gradients of slices are summed apart from the others,
 * because they become one Concat (network/blocks.ts).
 */
class BalancedSum {
  /** Entry k is the sum of 2^k terms, if there is one. */
  readonly #sums: { readonly whole: (Node | undefined)[]; readonly slices: (Node | undefined)[] } = { whole: [], slices: [] }; // prettier-ignore

  constructor(private readonly make: Operations) {}

  add(term: Node): void {
    const sums = this.#sums[term.op === 'Pad' ? 'slices' : 'whole'];
    let sum = term;
    let place = 0;
    for (; sums[place]; place++) {
      sum = this.make.add(sums[place]!, sum);
      sums[place] = undefined;
    }
    sums[place] = sum;
  }

  total(): Node | undefined {
    const parts = [...this.#sums.slices, ...this.#sums.whole];
    return parts.reduce((sum, part) => (sum && part ? this.make.add(part, sum) : (part ?? sum)), undefined);
  }
}
