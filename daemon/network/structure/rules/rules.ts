import type { Rule } from '../rule.js';
import { convolutionRules } from './convolution.js';
import { elementwiseRules } from './elementwise.js';
import { lookupRules } from './lookup.js';
import { movementRules } from './movement.js';
import { productRules } from './products.js';
import { reductionRules } from './reductions.js';
import { reshapeRules } from './reshape.js';
import { windowRules } from './windows.js';

const rules: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...productRules,
  ...convolutionRules,
  ...reductionRules,
  ...windowRules,
  ...movementRules,
  ...reshapeRules,
  ...lookupRules,
};

/** Operations of gradients, which no inference pass has. They have no rule, so everything stays. */
const everythingStays: Rule = {
  tie: (step, ties) => {
    for (const value of [...step.inputs, step.output])
      value.shape.forEach((_, axis) => ties.pin(step, value, axis, 'compared'));
  },
};

export const ruleOf = (op: string): Rule => rules[op] ?? everythingStays;
