/** The result of a finished run in measured figures; null: not measured. */
import * as z from 'zod';

const measure = z.number().nullable();

export const Finish = z.object({
  set: z.enum(['train', 'validation', 'test']).nullable().describe('The part of the data that the errors are of.'),
  samples: z.number(),
  regression: z.boolean().describe('Errors are shares of the variance left unexplained.'),
  /** Absent in answers of earlier versions. */
  unlabelled: z
    .boolean()
    .optional()
    .describe("The data has no labels: errors are those against the reference's own answers."),
  error: measure,
  referenceError: measure,
  kept: z.number(),
  prunable: z.number(),
  /** The smallest file that is as good as the pruned network, compared with the reference's weights as dense float32. */
  size: z.object({ bytes: z.number(), reference: z.number(), format: z.string() }).nullable(),
  /** The fastest network compared with the reference, one sample at a time, both timed together. */
  speed: z
    .object({
      times: z.number(),
      what: z.enum(['pruned', 'thinned', 'sparse module']),
      machine: z.string(),
      here: z.boolean().describe('Whether that machine is this one.'),
    })
    .nullable(),
  notes: z.array(z.string()).describe('What could not be measured, and why.'),
  /** Which of the run's files exist. */
  report: z.boolean(),
});
export type Finish = z.infer<typeof Finish>;
