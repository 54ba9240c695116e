import * as vscode from 'vscode';
import type { RunEvent } from '../../daemon/protocol/events.js';
import type { BatchColumns } from '../../daemon/protocol/messages.js';
import type { ResolvedPlan } from '../../daemon/protocol/resolvedPlan.js';
import type { Daemon } from '../daemon/daemon.js';
import type { Following, RunStream } from '../runStream.js';
import { RunSeries, type MarkTexts } from './runSeries.js';

/** A receiver of a run's events. */
type Sink = Pick<RunSeries, 'apply' | 'applyBatches'>;

/** Batches of the history that are requested: more than any chart has pixels. */
const RESOLUTION = 50_000;
const PAGE = 50_000;

const markTexts = (): MarkTexts => ({
  resumed: vscode.l10n.t('resumed'),
  budget: vscode.l10n.t('budget changed'),
  phase: {
    reference: vscode.l10n.t('reference'),
    'l-step': 'LC',
    prune: vscode.l10n.t('pruning'),
    retrain: vscode.l10n.t('retraining'),
  },
});

/** Keeps the series of one run up to date: history first, then the event stream, over any number of daemon processes. */
export class RunFeed implements vscode.Disposable {
  series = new RunSeries(markTexts());
  plan: ResolvedPlan | null = null;
  /** Events that arrived while the history was loading. */
  #waiting: ((sink: Sink) => void)[] | null = [];
  #following: Following;
  #disposables: vscode.Disposable[];
  #changed = new vscode.EventEmitter<void>();
  #disposed = false;
  /** Loads may overlap, because the daemon can return during one: only the newest counts. */
  #load = 0;
  readonly onDidChange = this.#changed.event;

  constructor(
    private readonly daemon: Daemon,
    stream: RunStream,
    readonly run: string,
  ) {
    this.#following = stream.follow(run, {
      batches: (columns) => this.#take((sink) => sink.applyBatches(columns)),
      events: (events) => this.#take((sink) => events.forEach((event) => sink.apply(event))),
    });
    this.#disposables = [
      this.#following,
      daemon.onDidChangeState((state) => {
        if (state.kind === 'ready') void this.load();
      }),
      this.#changed,
    ];
    void this.load();
  }

  /** Subscribes, reads the history, then applies the events that arrived meanwhile. */
  async load(): Promise<void> {
    const load = ++this.#load;
    this.#waiting = [];
    try {
      await this.#following.begin();
      const series = new RunSeries(markTexts());
      const known = new Set<string>();
      let end = false;
      for (let from = 0; !end;) {
        const page = await this.daemon.request('lc/history', {
          run: this.run,
          from,
          limit: PAGE,
          resolution: RESOLUTION,
        });
        for (const event of page.events) {
          series.apply(event);
          if (event.event !== 'batch') known.add(key(event));
        }
        end = page.end || page.next <= from;
        from = page.next;
      }
      this.plan ??= (await this.daemon.request('lc/plan', { run: this.run })).plan;
      if (this.#disposed || load !== this.#load) return;
      this.series = series;
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      // The stream and the log overlap: events that the log had are dropped.
      const fresh = new Overlap(series, known);
      for (const apply of waiting) apply(fresh);
      this.#changed.fire();
    } catch (error) {
      this.daemon.log.error(`${this.run}: ${(error as Error).message}`);
    }
  }

  dispose(): void {
    this.#disposed = true;
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #take(apply: (sink: Sink) => void): void {
    if (this.#waiting) {
      this.#waiting.push(apply);
      return;
    }
    apply(this.series);
    this.#changed.fire();
  }
}

const key = (event: RunEvent): string => JSON.stringify(event);

/** Applies streamed events after a history, once each. */
class Overlap implements Sink {
  readonly #last: number;
  constructor(
    private readonly series: RunSeries,
    private readonly known: ReadonlySet<string>,
  ) {
    this.#last = series.lastStep;
  }

  apply(event: RunEvent): void {
    if (!this.known.has(key(event))) this.series.apply(event);
  }

  applyBatches(columns: BatchColumns): void {
    const from = columns.step.findIndex((step) => step > this.#last);
    if (from < 0) return;
    const tail = Object.fromEntries(
      Object.entries(columns).map(([name, value]) => [name, Array.isArray(value) ? value.slice(from) : value]),
    );
    this.series.applyBatches(tail as BatchColumns);
  }
}
