import * as vscode from 'vscode';
import type { LayerKept } from '../daemon/protocol/events.js';
import type { Daemon } from './daemon/daemon.js';
import { sameFileAs, type AbsolutePath } from './paths.js';
import type { Run, Runs } from './runs.js';
import type { Following, RunStream } from './runStream.js';

/** What the newest run with results keeps of each layer of a model file, updated every iteration. */
export class KeptShares implements vscode.Disposable {
  /** null if no run of the model has results yet. */
  run: Run | null = null;
  layers: readonly LayerKept[] = [];
  #following: Following | null = null;
  #changed = new vscode.EventEmitter<void>();
  #disposables: vscode.Disposable[];
  #isModel: (file: AbsolutePath) => boolean;
  readonly onDidChange = this.#changed.event;

  constructor(
    private readonly daemon: Pick<Daemon, 'request' | 'log'>,
    private readonly runs: Pick<Runs, 'all' | 'onDidChangeRun' | 'onDidReset'>,
    private readonly stream: RunStream,
    model: AbsolutePath,
  ) {
    this.#isModel = sameFileAs(model);
    this.#disposables = [
      this.#changed,
      // A new daemon must be subscribed to again.
      runs.onDidReset(() => this.#choose(true)),
      runs.onDidChangeRun(({ before, after }) => {
        if (before?.kept === null || before?.state !== after?.state) this.#choose(false);
      }),
    ];
    this.#choose(true);
  }

  dispose(): void {
    this.#following?.dispose();
    this.#following = null;
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #choose(anew: boolean): void {
    const newest =
      this.runs.all.find((run) => run.kept !== null && run.modelFile !== null && this.#isModel(run.modelFile)) ?? null;
    if (!anew && newest?.run === this.run?.run) return;
    this.#following?.dispose();
    this.#following = null;
    if (newest?.run !== this.run?.run) this.layers = [];
    this.run = newest;
    if (newest) void this.#follow(newest.run);
    this.#changed.fire();
  }

  async #follow(run: string): Promise<void> {
    let heard = false;
    const following = this.stream.follow(run, {
      events: (events) => {
        const last = events.findLast((event) => event.event === 'iteration' || event.event === 'done');
        if (!last) return;
        heard = true;
        this.#set(last.perLayer);
      },
    });
    this.#following = following;
    try {
      await following.begin();
      const kept = await this.daemon.request('lc/kept', { run });
      // Events that arrived meanwhile are newer.
      if (kept && !heard && this.#following === following) this.#set(kept);
    } catch (error) {
      this.daemon.log.debug((error as Error).message);
    }
  }

  #set(layers: readonly LayerKept[]): void {
    this.layers = layers;
    this.#changed.fire();
  }
}
