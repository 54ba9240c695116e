import type { Node, Op } from '../ir.js';
import { sameShape } from '../ir.js';
import { convolutionRules } from './convolution.js';
import { elementwiseRules } from './elementwise.js';
import { leafRules } from './leaves.js';
import { lookupRules } from './lookup.js';
import { movementRules } from './movement.js';
import { poolingRules } from './pooling.js';
import { productRules } from './products.js';
import { reductionRules } from './reductions.js';
import { Broken, demand, type Rule } from './rule.js';

/** The rule of ir.ts for each operation. An operation without a rule does not compile. */
export const rules: Readonly<Record<Op, Rule>> = {
  ...leafRules,
  ...elementwiseRules,
  ...reductionRules,
  ...movementRules,
  ...lookupRules,
  ...productRules,
  ...convolutionRules,
  ...poolingRules,
};

/** A graph that breaks a rule of ir.ts, by a fault of the code that built it. The message names the node, its layer and the rule. */
export class BrokenGraph extends Error {
  override readonly name = 'BrokenGraph';
  constructor(
    readonly rule: string,
    readonly node?: Node,
  ) {
    super(node ? `${nameOf(node)}: ${rule}` : rule);
  }
}

export const nameOf = ({ id, op, layer }: Node): string =>
  `node ${id} (${op}${layer === undefined ? '' : `, layer "${layer}"`})`;

/** Runs `check` and reports the rules that it breaks as the node's. @throws BrokenGraph */
export function about(node: Node, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof Broken ? new BrokenGraph(error.message, node) : error;
  }
}

/**
 * Checks a node against the rule of its operation, and its shape, type and number of inputs against the conditions on all nodes. It
 * does not check the inputs themselves. A dimension may be 0, because empty tensors occur while a model is traced. `verifyGraph`
 * checks how large a tensor may be.
 *
 * @throws BrokenGraph
 */
export function verifyNode(node: Node): void {
  about(node, () => {
    const { op, inputs, attrs, shape, constant } = node;
    const rule = Object.hasOwn(rules, op) ? rules[op] : undefined;
    if (!rule) return demand(false, () => `there is no operation ${op}`);
    demand(shape.every((n) => Number.isInteger(n) && n >= 0), () => `its dimensions must be whole numbers; they are [${shape}]`); // prettier-ignore
    demand(constant === undefined || op === 'Constant', () => 'only a Constant has values');
    const fits = rule.arity === 'many' ? inputs.length > 0 : inputs.length === rule.arity;
    demand(fits, () => `it must have ${rule.arity === 'many' ? 'at least one input' : `${rule.arity} inputs`}; it has ${inputs.length}`); // prettier-ignore
    for (const input of inputs) demand(input.id < node.id, () => `its input ${nameOf(input)} must have a smaller id`);
    for (const name of Object.keys(attrs))
      demand(Object.hasOwn(rule.attrs, name), () => `it has no attribute "${name}"`);
    for (const [name, kind] of Object.entries(rule.attrs)) {
      const value = attrs[name];
      demand(value !== undefined && kind.holds(value), () => `"${name}" must be ${kind.words}; it is ${JSON.stringify(value)}`); // prettier-ignore
    }
    rule.types(node);
    const expected = rule.shape(node);
    const given = () => inputs.map((input) => `[${input.shape}]`).join(', ');
    demand(sameShape(expected, shape), () => `of ${given()} its shape must be [${expected}]; it is [${shape}]`);
  });
}
