/** The sweeps of the workspace, as the daemon last reported them: they are asked for when a run begins, ends or is deleted. */
import * as vscode from 'vscode';
import type { SweepSummary } from '../daemon/protocol/runs/sweep.js';
import type { Daemon } from './daemon/daemon.js';
import { LIMITS } from './limits.js';
import { fileIn, type AbsolutePath } from './paths.js';
import { isActive, type Run, type Runs } from './runs.js';

/** How far a sweep is. */
export interface SweepProgress {
  readonly state: 'running' | 'stopped' | 'done';
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

/** @param get a run by its folder. */
export function sweepProgress({ points, isRunning }: SweepSummary, get: (run: string) => Run | undefined): SweepProgress {
  const runs = points.map(({ run }) => (run === null ? undefined : get(run)));
  const done = runs.filter((run) => run?.state === 'done').length;
  const failed = points.filter((point, i) => point.failed !== undefined || runs[i]?.state === 'failed').length;
  const isActiveNow = isRunning || runs.some((run) => run && isActive(run));
  const state = isActiveNow ? 'running' : done === points.length ? 'done' : 'stopped';
  return { state, done, failed, total: points.length };
} // prettier-ignore

export class Sweeps implements vscode.Disposable {
  #all: readonly SweepSummary[] = [];
  #points = new Map<string, { sweep: SweepSummary; values: string }>();
  #changed = new vscode.EventEmitter<void>();
  #timer: NodeJS.Timeout | undefined;
  #disposables: vscode.Disposable[];
  readonly onDidChange = this.#changed.event;

  constructor(
    private readonly daemon: Pick<Daemon, 'request' | 'log'>,
    private readonly runs: Pick<Runs, 'get' | 'onDidReset' | 'onDidChangeRun'>,
  ) {
    this.#disposables = [
      runs.onDidReset(() => void this.load()),
      runs.onDidChangeRun(({ before, after }) => before?.state !== after?.state && this.#loadSoon()),
      this.#changed,
    ];
  }

  /** Newest first. */
  get all(): readonly SweepSummary[] {
    return this.#all;
  }

  progress = (sweep: SweepSummary): SweepProgress => sweepProgress(sweep, (run) => this.runs.get(run));

  /** The sweep whose point a run is, or with which it is compared; undefined: none. */
  of({ run, folder, baselineOf }: Pick<Run, 'run' | 'folder' | 'baselineOf'>): SweepSummary | undefined {
    const subject: AbsolutePath = baselineOf === undefined ? run : fileIn(folder, '..', baselineOf);
    return this.#points.get(subject)?.sweep;
  }

  /** The values of the point that a run is: "budget.keep=5% seed=0". */
  valuesOf(run: string): string | undefined {
    return this.#points.get(run)?.values;
  }

  async load(): Promise<void> {
    try {
      this.#all = await this.daemon.request('lc/sweeps', null);
    } catch (error) {
      this.daemon.log.error(error as Error);
      return;
    }
    this.#points = new Map();
    for (const sweep of this.#all)
      for (const { run, values } of sweep.points) if (run !== null) this.#points.set(run, { sweep, values });
    this.#changed.fire();
    // Its process begins another run, or ends, a moment after a run has ended.
    if (this.#all.some(({ isRunning, points }) => isRunning && !points.some(({ run }) => this.#isActive(run)))) this.#loadSoon(); // prettier-ignore
  }

  #isActive(run: string | null): boolean {
    const found = run === null ? undefined : this.runs.get(run);
    return found !== undefined && isActive(found);
  }

  #loadSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), LIMITS.sweepPause);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }
}
