import * as vscode from 'vscode';
import type { RunEvent } from '../daemon/protocol/events.js';
import type { BatchColumns } from '../daemon/protocol/messages.js';
import type { Daemon } from './daemon/daemon.js';

/** Callbacks of a follower of a run. */
export interface Follower {
  /** Every event but batches. */
  events?(events: readonly RunEvent[]): void;
  batches?(columns: BatchColumns): void;
}

export interface Following extends vscode.Disposable {
  /**
   * Subscribes to a run's events; must be called again when the daemon has restarted.
   * @throws the error of the request.
   */
  begin(): Promise<void>;
}

/**
 * The event streams of runs. A connection is subscribed to a run or it is not, while several views may follow it: it stays subscribed until the last
 * of them has gone.
 */
export class RunStream implements vscode.Disposable {
  #followers = new Map<string, Set<Follower>>();
  /** The newest request for each run: requests for one run must not overtake each other. */
  #requests = new Map<string, Promise<void>>();
  #disposables: vscode.Disposable[];

  constructor(private readonly daemon: Pick<Daemon, 'on' | 'request' | 'state'>) {
    this.#disposables = [
      daemon.on('lc/batches', (columns) => {
        for (const follower of [...(this.#followers.get(columns.run) ?? [])]) follower.batches?.(columns);
      }),
      daemon.on('lc/events', ({ run, events }) => {
        for (const follower of [...(this.#followers.get(run) ?? [])]) follower.events?.(events);
      }),
    ];
  }

  follow(run: string, follower: Follower): Following {
    const own = { ...follower };
    const followers = this.#followers.get(run) ?? new Set();
    this.#followers.set(run, followers.add(own));
    return {
      begin: () => this.#subscribe(run, true),
      dispose: () => {
        followers.delete(own);
        if (followers.size > 0 || this.#followers.get(run) !== followers) return;
        this.#followers.delete(run);
        // A daemon that is gone sends nothing.
        if (this.daemon.state.kind === 'ready') this.#subscribe(run, false).catch(() => {});
      },
    };
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
    this.#followers.clear();
  }

  #subscribe(run: string, on: boolean): Promise<void> {
    const before = this.#requests.get(run) ?? Promise.resolve();
    const request = before
      .catch(() => {})
      .then(async () => {
        // Followed again meanwhile.
        if (!on && this.#followers.has(run)) return;
        await this.daemon.request('lc/subscribe', { run, on });
      })
      .finally(() => {
        if (this.#requests.get(run) === request) this.#requests.delete(run);
      });
    this.#requests.set(run, request);
    return request;
  }
}
