/** Requests about sweeps that have begun; part of `requests` in daemon/protocol/messages.ts. */
import * as z from 'zod';
import { AbsolutePath } from '../paths.js';
import { SweepSummary } from './sweep.js';
import { SweepResults } from './sweepResults.js';

export const sweepRequests = {
  /** Newest first, of all folders of the connection. */
  'lc/sweeps': { params: z.null(), result: z.array(SweepSummary) },
  /** Ends all runs of a sweep with checkpoints; it can be continued. */
  'lc/stopSweep': { params: z.strictObject({ sweep: AbsolutePath }), result: z.null() },
  /** Of its finished runs. */
  'lc/sweepResults': { params: z.strictObject({ sweep: AbsolutePath }), result: SweepResults },
  /** Writes the table of a sweep's finished runs beside its record. */
  'lc/sweepTable': {
    params: z.strictObject({ sweep: AbsolutePath }),
    result: z.object({ markdown: AbsolutePath, csv: AbsolutePath, rows: z.int() }),
  },
} as const;
