import * as vscode from 'vscode';
import type { GoalReading } from '../../daemon/protocol/goalText.js';
import type { GoalWanted, Outlook } from '../../daemon/protocol/outlook.js';
import { outlookParts } from '../../daemon/protocol/outlookText.js';

/** What runs to these goals would cost and where they begin; takes seconds. */
export type AskOutlook = (goals: readonly GoalWanted[], token: vscode.CancellationToken) => Promise<Outlook>;

const keyOf = ({ kind, value }: GoalReading): string => `${kind} ${value}`;

const goalOf = (reading: GoalReading): GoalWanted =>
  'budget' in reading ? { budget: reading.budget } : { bound: reading.bound };

/** Caches what is known of the runs that a box offers. Each is requested once, several together, and dropped when it is no longer needed. */
export class Outlooks {
  readonly #known = new Map<string, readonly (string | null)[]>();
  #asking: vscode.CancellationTokenSource | null = null;

  constructor(private readonly request: AskOutlook) {}

  /** Phrases that describe it; undefined while it is not known. */
  known(reading: GoalReading): readonly (string | null)[] | undefined {
    return this.#known.get(keyOf(reading));
  }

  /** Resolves when the answer is there, or will not come. Never rejects: a budget can be accepted without it. */
  async ask(readings: readonly GoalReading[]): Promise<void> {
    this.cancel();
    const asking = new vscode.CancellationTokenSource();
    this.#asking = asking;
    const missing = readings.filter((reading) => !this.#known.has(keyOf(reading)));
    if (missing.length === 0) return;
    try {
      const outlook = await this.request(missing.map(goalOf), asking.token);
      missing.forEach((reading, i) => {
        const { cut, cost } = outlookParts(outlook, i);
        const isSearch = !('budget' in reading);
        this.#known.set(keyOf(reading), [cost !== null && isSearch ? vscode.l10n.t('{0} at most', cost) : cost, cut]);
      });
    } catch {
      // Cancelled, or the data cannot be read: the run itself reports why.
      if (!asking.token.isCancellationRequested) for (const reading of missing) this.#known.set(keyOf(reading), []);
    } finally {
      asking.dispose();
      if (this.#asking === asking) this.#asking = null;
    }
  }

  /** Cancels the open requests. */
  cancel(): void {
    this.#asking?.cancel();
    this.#asking = null;
  }
}
