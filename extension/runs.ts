import * as vscode from 'vscode';
import type { RunSummary } from '../daemon/protocol/messages.js';
import { setContext } from './contexts.js';
import type { Daemon } from './daemon/daemon.js';
import { CONTEXTS } from './ids.js';
import { inWorkspace, sameFileAs, type AbsolutePath } from './paths.js';

/** A run as the extension knows it: paths in its workspace folder are files here. */
export interface Run extends RunSummary {
  /** The key of a run in every request, list and page: its folder. Names are unique within a workspace folder only, and a window may have several. */
  run: AbsolutePath;
  /** Name of its folder. */
  name: string;
  /** null: it has no plan file. The file may be gone. */
  planFile: AbsolutePath | null;
  /** null: its model is an architecture. */
  modelFile: AbsolutePath | null;
}

/** The one place where a run's paths become files. */
export const toRun = (summary: RunSummary): Run => ({
  ...summary,
  run: summary.folder,
  name: summary.run,
  planFile: summary.planPath && inWorkspace(summary.workspace, summary.planPath),
  modelFile: summary.modelPath && inWorkspace(summary.workspace, summary.modelPath),
});

export interface RunChange {
  run: AbsolutePath;
  before: Run | null;
  after: Run | null;
}

export const isActive = (summary: RunSummary): boolean => summary.state === 'running' || summary.state === 'queued';
export const isResumable = (summary: RunSummary): boolean =>
  ['paused', 'interrupted', 'stopped', 'crashed'].includes(summary.state);
/** Its trainer is gone before the end, so it can resume on another engine. */
export const isAbandoned = (summary: RunSummary): boolean => isResumable(summary) && summary.state !== 'paused';
export const hasResult = (summary: RunSummary): boolean => summary.state === 'done' || summary.state === 'stopped';

/** The runs of the workspace as the daemon last reported them. */
export class Runs implements vscode.Disposable {
  #runs = new Map<AbsolutePath, Run>();
  #changed = new vscode.EventEmitter<RunChange>();
  #reset = new vscode.EventEmitter<void>();
  #disposables: vscode.Disposable[];

  /** One run was added, changed or deleted. */
  readonly onDidChangeRun = this.#changed.event;
  /** The whole list is new: the daemon has started or ended. */
  readonly onDidReset = this.#reset.event;

  constructor(private readonly daemon: Daemon) {
    this.#disposables = [
      daemon.on('lc/runChanged', ({ folder, summary }) => this.#apply(folder, summary && toRun(summary))),
      daemon.onDidChangeState((state) => {
        setContext(CONTEXTS.daemon, state.kind);
        if (state.kind === 'ready') void this.load();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        // The language client must report the change to the daemon first.
        if (daemon.state.kind === 'ready') setTimeout(() => void this.load(), 0);
      }),
      this.#changed,
      this.#reset,
    ];
  }

  /** Newest first. */
  get all(): Run[] {
    return Array.from(this.#runs.values()).sort((a, b) => b.started - a.started);
  }

  get(run: string): Run | undefined {
    return this.#runs.get(run as AbsolutePath);
  }

  /** The run that the status bar and the palette refer to: the newest active one, else the newest. */
  get current(): Run | undefined {
    return this.all.find(isActive) ?? this.all[0];
  }

  /** The runs of a plan, newest first. */
  ofPlan(plan: AbsolutePath): Run[] {
    const isPlan = sameFileAs(plan);
    return this.all.filter(({ planFile }) => planFile !== null && isPlan(planFile));
  }

  async load(): Promise<void> {
    try {
      this.#take(await this.daemon.request('lc/runs', null));
    } catch (error) {
      this.daemon.log.error(error as Error);
    }
  }

  /** Has every run's folder read again. @throws the error of the request. */
  async refresh(): Promise<void> {
    this.#take(await this.daemon.request('lc/refresh', null));
  }

  #take(list: readonly RunSummary[]): void {
    this.#runs = new Map(list.map((summary) => [summary.folder, toRun(summary)]));
    this.#contexts();
    this.#reset.fire();
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #apply(run: AbsolutePath, after: Run | null): void {
    const before = this.#runs.get(run) ?? null;
    if (after) this.#runs.set(run, after);
    else this.#runs.delete(run);
    if (before?.state !== after?.state) this.#contexts();
    this.#changed.fire({ run, before, after });
  }

  #contexts(): void {
    const all = this.all;
    for (const [key, value] of [
      [CONTEXTS.running, all.some(isActive)],
      [CONTEXTS.resumable, all.some(isResumable)],
      [CONTEXTS.hasRuns, all.length > 0],
      [CONTEXTS.hasResults, all.some(hasResult)],
    ] as const)
      setContext(key, value);
  }
}
