/** What a finished run has come to. Every figure was measured; what was not is null. */
import { z } from 'zod';

const measure = z.number().nullable();

export const Finish = z.object({
  set: z.enum(['train', 'validation', 'test']).nullable().describe('The part of the data that the errors are of.'),
  samples: z.number(),
  regression: z.boolean().describe('Errors are shares of the variance left unexplained.'),
  error: measure,
  referenceError: measure,
  kept: z.number(),
  prunable: z.number(),
  /** The smallest file that is no worse than the pruned network, beside the reference's weights as dense float32. */
  size: z.object({ bytes: z.number(), reference: z.number(), format: z.string() }).nullable(),
  /** The fastest network beside the reference, one sample at a time, both timed in one go. */
  speed: z
    .object({
      times: z.number(),
      what: z.enum(['pruned', 'thinned', 'sparse module']),
      machine: z.string(),
      here: z.boolean().describe('Whether that machine is this one.'),
    })
    .nullable(),
  notes: z.array(z.string()).describe('What could not be measured, and why.'),
  /** What of the run is in its folder. */
  report: z.boolean(),
});
export type Finish = z.infer<typeof Finish>;
