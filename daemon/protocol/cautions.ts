/** What must be known of a run before its result is used: part of its summary, so that every view of it can say so. */
import { z } from 'zod';
import { RATED } from './resolvedPlan.js';

/** A learning rate of the plan that may do better; `value` null: left out of the plan, so that the run looks for one. */
export const OtherRate = z.object({ section: z.enum(RATED), value: z.number().positive().nullable() });
export type OtherRate = z.infer<typeof OtherRate>;

export const Caution = z.object({
  /** Of a finding, or of a warning in the run's log. */
  code: z.string(),
  message: z.string(),
  /** The run is shown as a warning, however well it ended. */
  serious: z.boolean(),
  rate: OtherRate.optional(),
});
export type Caution = z.infer<typeof Caution>;
