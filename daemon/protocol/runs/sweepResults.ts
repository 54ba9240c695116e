/** The results of a sweep: computed by the daemon and the command line, shown in tables and in the editor's page of the sweep. */
import * as z from 'zod';
import { AbsolutePath } from '../paths.js';
import { SETS } from '../telemetry/columns.js';
import { SweepValues } from './sweep.js';

/** Mean and sample standard deviation. */
const Spread = z.object({
  mean: z.number().nullable().describe('null: no run has a number.'),
  deviation: z.number().nullable().describe('null of fewer than two runs.'),
});
export type Spread = z.infer<typeof Spread>;

/** The finished runs of one method that differ in their seed only. */
const SweepRow = z.object({
  values: SweepValues.describe('Without the seed.'),
  method: z.string(),
  runs: z.int().describe('Finished runs among them.'),
  folders: z.array(AbsolutePath).describe('Of these runs.'),
  kept: z.number(),
  prunable: z.number(),
  bytes: z.number().nullable().describe('Bytes of the sparse package; null if no run has one.'),
  reference: Spread,
  theta: Spread.describe('Error of the pruned weights before retraining.'),
  error: Spread,
  decision: Spread.describe(
    'Error on the held-out part, by which rows are compared; without a number: none is held out.',
  ),
  seconds: z.number().describe('Mean time of work.'),
  best: z
    .boolean()
    .describe('No other row has both less error (of the held-out part, if there is one) and fewer weights.'),
});
export type SweepRow = z.infer<typeof SweepRow>;

export const SweepResults = z.object({
  rows: z
    .array(SweepRow)
    .describe('One for each combination of values, without the seed, and each method; in the order of the points.'),
  set: z
    .enum(SETS)
    .nullable()
    .describe('The part of the data that the errors are of; null if the runs differ in it, or none has finished.'),
});
export type SweepResults = z.infer<typeof SweepResults>;
