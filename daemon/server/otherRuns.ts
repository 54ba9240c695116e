/** The runs whose trainers other processes started: the command line, or another window. */
import type { RunEvent } from '../protocol/events.js';
import type { RunSummary } from '../protocol/messages.js';
import type { LogTail } from '../runs/logTail.js';
import type { WatchedRuns } from '../runs/watchedRuns.js';
import type { Backend } from './backend.js';
import { LIMITS } from './limits.js';
import type { Log } from './log.js';

/** The daemon's own state. */
export interface Own {
  /** Workspace folders that some connection has open. */
  folders(): ReadonlySet<string>;
  /** Whether some connection is subscribed to the run's event stream. */
  isFollowed(workspace: string, run: string): boolean;
  /** Folders of the runs whose trainers this daemon supervises. */
  supervised(workspace: string): readonly string[];
  onEvent(workspace: string, run: string, event: RunEvent): void;
  onChange(workspace: string, run: string, summary: RunSummary | null): void;
}

export class OtherRuns {
  readonly #watched = new Map<string, Promise<WatchedRuns>>();
  /** By the run's folder. */
  readonly #tails = new Map<string, Promise<LogTail>>();
  readonly #looking: NodeJS.Timeout;
  #isLooking = false;
  /** When queues were asked last. */
  #asked = -Infinity;

  constructor(
    readonly backend: Backend,
    readonly own: Own,
    readonly log: Log,
  ) {
    this.#looking = setInterval(() => void this.#lookAtAll(), LIMITS.lookInterval).unref();
  }

  /** All runs of a workspace folder, this daemon's own included. */
  in(workspace: string): Promise<WatchedRuns> {
    const known = this.#watched.get(workspace);
    if (known) return known;
    const watched = this.backend.watchRuns(workspace, {
      supervised: () => this.own.supervised(workspace),
      onChange: (run, summary) => this.own.onChange(workspace, run, summary),
    });
    this.#watched.set(workspace, watched);
    return watched;
  }

  /** Summaries that the daemon has reported itself. */
  report(workspace: string, run: string, summary: RunSummary | null): void {
    void this.#watched.get(workspace)?.then((watched) => watched.report(run, summary));
  }

  /**
   * Sends the events that another process writes into the run's log from now on, as long as a connection follows the run.
   * Resolves when every event written later will be sent.
   */
  async follow(workspace: string, run: string, folder: string): Promise<void> {
    if (this.own.supervised(workspace).includes(folder)) return;
    const known = this.#tails.get(folder);
    if (known) return void (await known);
    const opening = this.backend.openTail(folder);
    this.#tails.set(folder, opening);
    try {
      this.#keepReading(await opening, { workspace, run, folder, opening });
    } catch (error) {
      this.leave(folder);
      throw error;
    }
  }

  /** The run's events come from its trainer from now on. */
  leave(folder: string): void {
    this.#tails.delete(folder);
  }

  close(): void {
    clearInterval(this.#looking);
    this.#tails.clear();
  }

  #keepReading(
    tail: LogTail,
    { workspace, run, folder, opening }: { workspace: string; run: string; folder: string; opening: Promise<LogTail> },
  ): void {
    let grew = performance.now();
    const isOpen = () => this.#tails.get(folder) === opening;
    const read = async () => {
      if (!isOpen()) return;
      if (!this.own.isFollowed(workspace, run)) return this.leave(folder);
      await tail
        .read((event) => {
          grew = performance.now();
          if (isOpen()) this.own.onEvent(workspace, run, event);
        })
        .catch((error: unknown) => this.log('warn', `log of ${run}: ${String(error)}`));
      schedule();
    };
    const schedule = () => {
      const isQuiet = performance.now() - grew > LIMITS.tailPatience;
      setTimeout(() => void read(), isQuiet ? LIMITS.lookInterval : LIMITS.tailInterval).unref();
    };
    schedule();
  }

  async #lookAtAll(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const open = this.own.folders();
    for (const folder of this.#watched.keys()) if (!open.has(folder)) this.#watched.delete(folder);
    const isDue = performance.now() - this.#asked >= LIMITS.queueInterval;
    if (isDue) this.#asked = performance.now();
    for (const folder of open) {
      if (isDue) await this.#askQueues(folder);
      await this.in(folder)
        .then((watched) => watched.look())
        .catch((error: unknown) => this.log('debug', `runs of ${folder}: ${String(error)}`));
    }
    this.#isLooking = false;
  }

  /** The answers are in the files of the runs' jobs, which the next look at the runs shows. */
  async #askQueues(workspace: string): Promise<void> {
    await this.backend
      .queue()
      .then(({ refreshJobs }) => refreshJobs(workspace))
      .catch((error: unknown) => this.log('debug', `queues of ${workspace}: ${String(error)}`));
  }
}
