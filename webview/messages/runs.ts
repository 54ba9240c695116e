/** Messages between the table of runs and its host (extension/runsTable). */
import type { RunFacts } from '../../daemon/protocol/runs/runRow.js';

/** A run as the page knows it. */
export interface TableRun extends RunFacts {
  /** The host's key of it. */
  readonly id: string;
  /** Plan, budget and date, or the name that the user gave it. */
  readonly label: string;
  /** For a baseline: the run it is compared with, if that is in the table. */
  readonly parent: string | null;
  /** Name of its workspace folder, if there are several. */
  readonly folder: string;
}

export type ToRunsTable =
  | { type: 'runs'; runs: readonly TableRun[]; trusted: boolean }
  /** Added or changed; null: gone. */
  | { type: 'run'; id: string; run: TableRun | null }
  /** The runs in the monitor, with their colours there. */
  | { type: 'shown'; colours: Readonly<Record<string, number>> }
  /** Why nothing is listed; null: no problem. */
  | { type: 'connection'; problem: string | null };

/** Actions on the selected runs. */
export type TableAction = 'open' | 'compare' | 'star' | 'tags' | 'note' | 'rename' | 'export' | 'plan' | 'delete';

export type FromRunsTable =
  | { type: 'ready' }
  | { type: 'act'; action: TableAction; runs: readonly string[]; point: number | null }
  | { type: 'star'; run: string; star: boolean }
  | { type: 'copy'; text: string; what: 'csv' | 'markdown' }
  | { type: 'save'; text: string }
  | { type: 'start' }
  | { type: 'failure'; message: string };
