/** Messages between the page of a sweep (extension/sweepPage) and its host. */
import type { SweepResults } from '../../daemon/protocol/runs/sweepResults.js';

export type ToSweepPage =
  /** What is shown. `progress`: "3/12 done · running". */
  | { type: 'sweep'; name: string; plan: string; progress: string; trusted: boolean }
  /** Of the runs that have finished by now. */
  | { type: 'results'; results: SweepResults }
  /** Why the results are not the newest; null: they are. */
  | { type: 'problem'; message: string | null };

export type FromSweepPage =
  | { type: 'ready' }
  /** Shows these runs in the monitor. */
  | { type: 'show'; runs: readonly string[] }
  /** Writes the table as a file and shows that. */
  | { type: 'asText'; format: 'markdown' | 'csv' }
  | { type: 'failure'; message: string };
