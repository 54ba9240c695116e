/** Messages between the table of runs and its host (extension/runsTable). */
import type { RunFacts } from '../../daemon/protocol/runs/runRow.js';

/** A run as the page knows it. */
export interface TableRun extends RunFacts {
  /** What the host calls it. */
  readonly id: string;
  /** Plan, budget and date, or the name it was given. */
  readonly label: string;
  /** Of a baseline: the run it is compared with, where that is here. */
  readonly parent: string | null;
  /** Name of its workspace folder, where there are several. */
  readonly folder: string;
}

export type ToRunsTable =
  | { type: 'runs'; runs: readonly TableRun[]; trusted: boolean }
  /** Added or changed; null: gone. */
  | { type: 'run'; id: string; run: TableRun | null }
  /** The runs in the monitor, with their colours there. */
  | { type: 'shown'; colours: Readonly<Record<string, number>> }
  /** Why nothing is listed; null: all is well. */
  | { type: 'connection'; problem: string | null };

/** What can be done with the chosen runs. */
export type TableAction = 'open' | 'compare' | 'star' | 'tags' | 'note' | 'rename' | 'export' | 'plan' | 'delete';

export type FromRunsTable =
  | { type: 'ready' }
  | { type: 'act'; action: TableAction; runs: readonly string[]; point: number | null }
  | { type: 'star'; run: string; star: boolean }
  | { type: 'copy'; text: string; what: 'csv' | 'markdown' }
  | { type: 'save'; text: string }
  | { type: 'start' }
  | { type: 'failure'; message: string };
