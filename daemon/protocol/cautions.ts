/** What a user must know before using a run's result: part of its summary, so that every view can show it. */
import * as z from 'zod';
import { RATED } from './resolvedPlan.js';

/** A learning rate that may do better; `value` null: remove it from the plan, so that the run searches for one. */
export const OtherRate = z.object({ section: z.enum(RATED), value: z.number().positive().nullable() });
export type OtherRate = z.infer<typeof OtherRate>;

export const Caution = z.object({
  /** The code of a finding, or of a warning in the run's log. */
  code: z.string(),
  message: z.string(),
  /** The run is shown as a warning, even if it has finished. */
  serious: z.boolean(),
  rate: OtherRate.optional(),
});
export type Caution = z.infer<typeof Caution>;
