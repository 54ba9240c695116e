/**
 * The budget of a plan: the requirements on the result. `lc/budgets/registry.ts` lists them, a module a kind; this file has the validators of their
 * values, and the keys that determine an amount's meaning.
 */
import * as z from 'zod';
import type { Kind } from '../lc/budgets/registry.js';
import { WORDS } from '../lc/budgets/registry.js';
import type { Values } from '../lc/budgets/values.js';

const fraction = z.number().min(0).max(1);
const count = z.number().int().nonnegative();

/** A share ("1%" or 0.01), kept as written; `daemon/lc/budgets` turns it into a count. */
export const Share = z
  .union([fraction, z.string().regex(/^\s*\d+(\.\d+)?\s*%\s*$/, 'a percentage such as "1%"')])
  .describe('A fraction (0.01) or a percentage ("1%"). 1 is 100%, where the key takes no counts.');

/** A byte size (8192, "8 kB", "1.5 MB"; 1 kB = 1024 bytes). */
export const ByteSize = z
  .union([count, z.string().regex(/^\s*\d+(\.\d+)?\s*(B|kB|KB|MB|GB)\s*$/, 'a size such as "40 kB"')])
  .describe('Bytes (8192) or a size ("40 kB", 1 kB = 1024 bytes).');

/** Floor and cap on what one layer keeps under a global budget (shares of that layer's weights). */
export const LayerLimits = z.strictObject({
  floor: Share.optional().describe('Keep at least this share of the layer.'),
  cap: Share.optional().describe('Keep at most this share of the layer.'),
});

/** The validator of each kind of value. */
const VALUES = {
  share: Share,
  count,
  size: ByteSize,
  amount: z.union([count, Share]),
  pattern: z.string().regex(/^\d+:\d+$/, 'a pattern such as "2:4"'),
  positive: z.number().positive(),
  codebook: z.strictObject({
    codebook: z
      .union([z.int().min(1).max(256), z.enum(['int8', 'ternary'])])
      .describe('Codebook size, or a fixed codebook.'),
  }),
} satisfies { readonly [V in keyof Values]: z.ZodType<Values[V]> };

type Asked = { [K in Kind]: z.ZodOptional<(typeof VALUES)[(typeof WORDS)[K]['value']]> };

/** A key for each kind of budget. */
const asked = Object.fromEntries(
  Object.entries(WORDS).map(([kind, { value, summary }]) => [kind, VALUES[value].optional().describe(summary)]),
) as Asked;

export const Budget = z
  .strictObject({
    ...asked,
    norm: z.enum(['l0', 'l1', 'l2']).optional().describe('The cost C. Default l0.'),
    form: z
      .enum(['constraint', 'penalty'])
      .optional()
      .describe('Default: penalty when alpha is given, else constraint.'),
    scope: z
      .enum(['global', 'layer'])
      .optional()
      .describe('One budget over all layers (default), or the same for each layer.'),
    layers: z
      .record(z.string(), LayerLimits)
      .optional()
      .describe('Floors and caps per layer name under a global budget.'),
    prune: z
      .enum(['weights', 'neurons'])
      .optional()
      .describe('What is removed: single weights (default), or whole neurons and filters.'),
    roundTo: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe(
        'Whole neurons and filters: the number of channels that stay is a multiple of this (8, for example), or all of them. Default 1.',
      ),
    cost: z
      .enum(['count', 'flops'])
      .optional()
      .describe('Penalty form with l0: what alpha counts: weights or neurons (default), or their FLOPs.'),
  })
  .describe('What the result must fit.');
export type Budget = z.infer<typeof Budget>;

/** The quantities that a check of a written file counts: the budget's requirements, and the limits of its layers. */
export const BUDGET_CHECKS = [
  ...new Set(Object.values(WORDS).map(({ counts }) => counts)),
  'floor' as const,
  'cap' as const,
  'roundTo' as const,
];
