/** The expected cost and starting point of a run, shown before it starts: the last line of the budget box. */
import * as z from 'zod';
import { Budget, ErrorBound } from './plan.js';

/** A budget or a bound on the error, as the box accepts either. */
export const GoalWanted = z.union([z.strictObject({ budget: Budget }), z.strictObject({ bound: ErrorBound })]);
export type GoalWanted = z.infer<typeof GoalWanted>;

export const Outlook = z.object({
  device: z.string().nullable().describe('What was timed: "CPU, 2 threads"; null where no engine could be.'),
  set: z.enum(['train', 'validation']).describe('The part of the data whose samples were evaluated.'),
  samples: z.int().min(0),
  unlabelled: z
    .boolean()
    .optional()
    .describe('The data has no labels: errors are against the answers of the whole network.'),
  reference: z.number().nullable().describe('Error of the whole network on them; null: not measured, or not finite.'),
  goals: z
    .array(
      z.object({
        cut: z
          .number()
          .nullable()
          .describe('Error right after the direct compression, without training; null: not measured, or not finite.'),
        seconds: z.number().nullable().describe('Of the whole run; of a search, at most. null: not timed.'),
      }),
    )
    .describe('In the order in which they were asked for.'),
  note: z.string().nullable().describe('Why something of it is missing.'),
});
export type Outlook = z.infer<typeof Outlook>;
