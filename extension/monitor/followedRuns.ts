import type * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import type { RunStream } from '../runStream.js';
import { RunFeed } from './runFeed.js';
import type { Cursor, RunSeries } from './runSeries.js';

/** The inputs of a run's view: the same three give the same view. */
export type Facts = readonly [summary: RunSummary | undefined, series: RunSeries, version: number];

interface Followed {
  readonly feed: RunFeed;
  /** How much of the run's series the page has. */
  readonly cursor: Cursor;
  readonly listener: vscode.Disposable;
  /** The inputs of the view that the page has; null: it has none. */
  facts: Facts | null;
}

/** The feeds of the runs on show, and what the page has of each. */
export class FollowedRuns {
  #runs = new Map<string, Followed>();

  /** @param changed is called when a run's series or plan has changed. @param planned is called when its plan is known. */
  constructor(
    private readonly daemon: Daemon,
    private readonly stream: RunStream,
    private readonly changed: (run: string) => void,
    private readonly planned: () => void,
  ) {}

  get(run: string): Followed | undefined {
    return this.#runs.get(run);
  }

  /** Follows these runs and no others. */
  follow(runs: readonly string[]): void {
    for (const [run, { feed, listener }] of this.#runs)
      if (!runs.includes(run)) {
        listener.dispose();
        feed.dispose();
        this.#runs.delete(run);
      }
    for (const run of runs) if (!this.#runs.has(run)) this.#runs.set(run, this.#begin(run));
  }

  #begin(run: string): Followed {
    const feed = new RunFeed(this.daemon, this.stream, run);
    let plan = feed.plan;
    const listener = feed.onDidChange(() => {
      // The difference needs the plans, which come with the history.
      if (feed.plan !== plan) {
        plan = feed.plan;
        this.planned();
      }
      this.changed(run);
    });
    return { feed, cursor: new Map(), listener, facts: null };
  }

  /** The page is new and has nothing. */
  forgetSent(): void {
    for (const entry of this.#runs.values()) {
      entry.cursor.clear();
      entry.facts = null;
    }
  }
}
