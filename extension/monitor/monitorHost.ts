import * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import { runLabel, type LabelledRun } from '../../daemon/protocol/runs/runLabel.js';
import type { RunView, ToHost, ToPage } from '../../webview/messages/monitor.js';
import type { Daemon } from '../daemon/daemon.js';
import { MONITOR } from '../ids.js';
import { fileIn, pathOf, uriOf } from '../paths.js';
import type { Runs } from '../runs.js';
import type { RunStream } from '../runStream.js';
import { pageOptions, showBuiltPage } from '../page/builtPage.js';
import { planDifference } from './planDifference.js';
import { RunFeed } from './runFeed.js';
import type { Cursor, RunSeries } from './runSeries.js';
import { RunColours } from './runColours.js';
import { toWire } from './wire.js';

/** Milliseconds between two posts to the page. */
const FLUSH = 40;

/** Where the runs on show are kept for a reload: by the host, as the page knows only runs the daemon has told of. */
const SHOWN = 'monitor.shown';
interface Shown {
  runs: readonly string[];
  primary: string | null;
}

/** What a run was asked to do, and how it was then. */
interface Asked {
  readonly text: string;
  readonly state: RunSummary['state'];
  readonly iteration: number;
}

/** What a run's view was made of: the same three, the same view. */
type Facts = readonly [summary: RunSummary | undefined, series: RunSeries, version: number];

export type Control = (action: Extract<ToHost, { type: 'control' }>['action'], run: RunSummary | undefined) => void;

/** The monitor: one panel, the runs it shows and their series. The page holds nothing that cannot be sent again. */
export class MonitorHost implements vscode.Disposable, vscode.WebviewPanelSerializer {
  #panel: vscode.WebviewPanel | null = null;
  #feeds = new Map<string, { feed: RunFeed; cursor: Cursor; listener: vscode.Disposable; facts: Facts | null }>();
  #order: string[] = [];
  #primary: string | null = null;
  #ready = false;
  /** Runs the page knows; columns of others would be lost on it. */
  #known = new Set<string>();
  #dirty = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #colours: RunColours;
  #disposables: vscode.Disposable[];
  /** What is being started: no run is there yet. */
  #starting: { readonly name: string; cancelled: boolean } | null = null;
  #asked = new Map<string, Asked>();
  /** Set by the commands, which know how to ask for budgets and targets. */
  control: Control = () => {};
  #cancelStart: () => void = () => {};
  #changedShown = new vscode.EventEmitter<void>();
  /** Other runs are shown. */
  readonly onDidChangeShown = this.#changedShown.event;
  exportPoint: (run: RunSummary, point: number) => void = () => {};

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly daemon: Daemon,
    private readonly runs: Runs,
    private readonly stream: RunStream,
  ) {
    this.#colours = new RunColours(context.workspaceState);
    this.#disposables = [
      runs.onDidChangeRun(({ run, after }) => {
        if (!this.#feeds.has(run)) return;
        if (after) this.#touch(run);
        else this.remove(run);
      }),
      runs.onDidReset(() => {
        this.#postRuns();
        // A history that came before its summary waits for this.
        this.#flush();
      }),
      daemon.onDidChangeState(() => this.#postConnection()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#postRuns()),
      vscode.window.registerWebviewPanelSerializer(MONITOR, this),
    ];
  }

  /** The runs on show, the primary one first in mind. */
  get shown(): readonly string[] {
    return this.#order;
  }

  /** The runs on show with their colours. */
  get colours(): Readonly<Record<string, number>> {
    return this.#colours.all;
  }

  /** Shows these runs, the first one with its numbers; opens or reveals the panel. */
  show(runs: readonly string[]): void {
    this.#showRuns(runs);
    this.#reveal({ preserveFocus: false });
  }

  /**
   * Opens the panel before there is a run, so that its page loads while the trainer does; then shows the run. Whoever types
   * goes on typing: neither takes the focus.
   * @param undo what takes a run back that was started before its start could be cancelled.
   */
  async showStarting(name: string, start: () => Promise<string>, undo: (run: string) => Promise<void>): Promise<void> {
    const opened = this.#panel === null;
    const starting = { name, cancelled: false };
    this.#starting = starting;
    this.#reveal({ preserveFocus: true });
    const giveUp = () => {
      if (this.#starting === starting) this.#starting = null;
      if (opened && this.#order.length === 0) this.#panel?.dispose();
      else this.#postRuns();
    };
    this.#cancelStart = () => {
      starting.cancelled = true;
      giveUp();
    };
    let run: string;
    try {
      run = await start();
    } catch (error) {
      if (starting.cancelled) return;
      giveUp();
      throw error;
    }
    if (starting.cancelled) return undo(run);
    // Whoever has closed it meanwhile does not want to see it.
    if (!this.#panel) return;
    // Nor is it brought back in front of what they look at by now.
    this.#showRuns([run]);
    this.#postRuns();
  }

  /**
   * Says on the page what a run has been asked to do, at once, until it does it or will not.
   * @param until "iteration": what is asked for shows at its next iteration, not in its state.
   */
  async whileAsked<T>(
    { run, state, iteration }: Pick<RunSummary, 'run' | 'state' | 'iteration'>,
    text: string,
    request: Promise<T>,
    until: 'state' | 'iteration' = 'state',
  ): Promise<T> {
    const asked: Asked = { text, state, iteration: until === 'iteration' ? iteration : Infinity };
    this.#asked.set(run, asked);
    this.#postView(run);
    try {
      return await request;
    } catch (error) {
      if (this.#asked.get(run) === asked) this.#asked.delete(run);
      this.#postView(run);
      throw error;
    }
  }

  #stillAsked({ run, state, iteration }: RunSummary): Asked | undefined {
    const asked = this.#asked.get(run);
    if (!asked || (asked.state === state && iteration <= asked.iteration)) return asked;
    this.#asked.delete(run);
    return undefined;
  }

  #postView(run: string): void {
    const view = this.#known.has(run) ? this.#view(run) : null;
    if (view) this.#post({ type: 'run', view });
    if (run === this.#primary) this.#showTitle();
  }

  /** A run's name says when it started, which is known a moment after it was asked for. */
  #showTitle(): void {
    const primary = this.#primary ? this.runs.get(this.#primary) : undefined;
    const title = primary ? vscode.l10n.t('LC Prune: {0}', displayName(primary)) : vscode.l10n.t('LC Prune Monitor');
    if (this.#panel && this.#panel.title !== title) this.#panel.title = title;
  }

  #showRuns(runs: readonly string[]): void {
    this.#starting = null;
    this.#select(runs, runs[0] ?? null);
    this.#remember();
  }

  #reveal({ preserveFocus }: { preserveFocus: boolean }): void {
    if (this.#panel) {
      this.#panel.reveal(undefined, preserveFocus);
      this.#postRuns();
    } else
      this.#adopt(
        vscode.window.createWebviewPanel(
          MONITOR,
          vscode.l10n.t('LC Prune Monitor'),
          { viewColumn: vscode.ViewColumn.Active, preserveFocus },
          pageOptions(this.context.extensionUri),
        ),
      );
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    const { runs, primary } = this.context.workspaceState.get<Shown>(SHOWN) ?? { runs: [], primary: null };
    this.#select(runs, primary);
    panel.webview.options = pageOptions(this.context.extensionUri);
    this.#adopt(panel);
  }

  remove(run: string): void {
    this.#select(
      this.#order.filter((other) => other !== run),
      this.#primary === run ? (this.#order.find((other) => other !== run) ?? null) : this.#primary,
    );
    this.#remember();
    this.#postRuns();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    // The panel stays: it belongs to the window, which brings it back after a reload.
    this.#panel = null;
    this.#select([], null);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #adopt(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#ready = false;
    panel.iconPath = vscode.Uri.joinPath(this.context.extensionUri, 'media', 'monitor.svg');
    panel.onDidDispose(() => {
      this.#panel = null;
      this.#ready = false;
      this.#select([], null);
    });
    panel.onDidChangeViewState(() => {
      // A hidden page is thrown away; the next one says ready.
      if (!panel.visible) this.#ready = false;
    });
    panel.webview.onDidReceiveMessage((message: ToHost) => this.#receive(message));
    showBuiltPage(panel.webview, this.context.extensionUri, 'monitor', vscode.l10n.t('LC Prune Monitor'));
  }

  #select(runs: readonly string[], primary: string | null): void {
    for (const [run, { feed, listener }] of this.#feeds)
      if (!runs.includes(run)) {
        listener.dispose();
        feed.dispose();
        this.#feeds.delete(run);
      }
    for (const run of runs)
      if (!this.#feeds.has(run)) {
        const feed = new RunFeed(this.daemon, this.stream, run);
        let plan = feed.plan;
        const listener = feed.onDidChange(() => {
          // The difference needs the plans, which come with the history.
          if (feed.plan !== plan) {
            plan = feed.plan;
            this.#postRuns();
          }
          this.#touch(run);
        });
        this.#feeds.set(run, { feed, cursor: new Map(), listener, facts: null });
      }
    this.#order = [...new Set(runs)];
    this.#colours.show(this.#order);
    this.#changedShown.fire();
    this.#primary = primary !== null && this.#order.includes(primary) ? primary : (this.#order[0] ?? null);
  }

  #remember(): void {
    const shown: Shown = { runs: this.#order, primary: this.#primary };
    void this.context.workspaceState.update(SHOWN, shown);
  }

  #receive(message: ToHost): void {
    switch (message.type) {
      case 'ready':
        // A second "ready" is a reload or a page shown again: it has nothing.
        this.#ready = true;
        for (const entry of this.#feeds.values()) {
          entry.cursor.clear();
          entry.facts = null;
        }
        this.#postConnection();
        this.#postRuns();
        for (const run of this.#order) this.#dirty.add(run);
        this.#flush();
        break;
      case 'control':
        this.control(message.action, message.run === null ? undefined : this.runs.get(message.run));
        break;
      case 'cancelStart':
        if (this.#starting) this.#cancelStart();
        break;
      case 'remove':
        this.remove(message.run);
        break;
      case 'primary':
        this.#select(this.#order, message.run);
        this.#remember();
        this.#postRuns();
        break;
      case 'picture':
        void this.#sendPicture(message.run, message.layer);
        break;
      case 'finish':
        void this.#sendFinish(message.run);
        break;
      case 'exportPoint': {
        const summary = this.runs.get(message.run);
        if (summary) this.exportPoint(summary, message.point);
        break;
      }
      case 'save':
        void this.#save(message.name, message.data);
        break;
      case 'failure':
        this.daemon.log.error(`Monitor page: ${message.message}`);
        break;
    }
  }

  #touch(run: string): void {
    this.#dirty.add(run);
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#ready) return;
    // A run's first summary can come after its first events.
    if (this.#order.some((run) => !this.#known.has(run) && this.runs.get(run))) this.#postRuns();
    for (const run of this.#dirty) {
      const entry = this.#feeds.get(run);
      if (!entry || !this.#known.has(run)) continue;
      const tables = entry.feed.series.news(entry.cursor);
      if (tables) this.#post({ type: 'columns', run, tables: toWire(tables) });
      // Most of what comes are batches, which are in the columns.
      const { series } = entry.feed;
      const facts: Facts = [this.runs.get(run), series, series.version];
      if (!facts.every((fact, i) => fact === entry.facts?.[i])) {
        entry.facts = facts;
        this.#postView(run);
      }
      this.#dirty.delete(run);
    }
  }

  #post(message: ToPage): void {
    if (this.#ready) void this.#panel?.webview.postMessage(message);
  }

  #postRuns(): void {
    const views = this.#order.map((run) => this.#view(run)).filter((view) => view !== null);
    this.#known = new Set(this.#ready ? views.map((view) => view.id) : []);
    this.#showTitle();
    this.#post({
      type: 'runs',
      runs: views,
      primary: this.#primary,
      starting: this.#starting?.name ?? null,
      difference:
        views.length > 1 ? planDifference(views.map((view) => this.#feeds.get(view.id)?.feed.plan ?? null)) : [],
      trusted: vscode.workspace.isTrusted,
    });
  }

  #postConnection(): void {
    const { state } = this.daemon;
    this.#post({
      type: 'connection',
      problem:
        state.kind === 'failed'
          ? vscode.l10n.t('The daemon is not running: {0} The charts show what was there before.', state.message)
          : state.kind === 'waiting'
            ? vscode.l10n.t('The daemon ended ({0}) and starts again.', state.reason)
            : null,
    });
  }

  #view(run: string): RunView | null {
    const summary = this.runs.get(run);
    const series = this.#feeds.get(run)?.feed.series;
    if (!summary || !series) return null;
    const asked = this.#stillAsked(summary);
    return {
      id: run,
      name: displayName(summary),
      colour: this.#colours.of(run),
      summary,
      hasPlan: summary.planPath !== null,
      device: series.device,
      errorSet: series.errorSet,
      ...(asked && { asked: asked.text }),
      referenceError: series.referenceError,
      directError: series.directError,
      ...(series.path && { path: series.path }),
      layers: series.layers,
      marks: series.marks,
      warnings: series.warnings,
      reading: series.reading,
    };
  }

  async #sendPicture(run: string, layer: string): Promise<void> {
    try {
      const picture = await this.daemon.request('lc/layer', { run, layer });
      this.#post({ type: 'picture', run, layer, picture, problem: null });
    } catch (error) {
      this.#post({ type: 'picture', run, layer, picture: null, problem: (error as Error).message });
    }
  }

  /** A run whose figures cannot be read has no card; nothing else of the page waits for it. */
  async #sendFinish(run: string): Promise<void> {
    const finish = await this.daemon.request('lc/finish', { run }).catch((error: Error) => {
      this.daemon.log.error(`What ${run} has come to: ${error.message}`);
      return null;
    });
    this.#post({ type: 'finish', run, finish });
  }

  async #save(name: string, data: string): Promise<void> {
    const first = vscode.workspace.workspaceFolders?.[0];
    const folder = (this.#primary && this.runs.get(this.#primary)?.workspace) ?? (first && pathOf(first.uri));
    // The name comes from the page: a file name, never a path.
    const file = name.replace(/[^\w.-]+/g, '-').slice(-100);
    const target = await vscode.window.showSaveDialog(folder ? { defaultUri: uriOf(fileIn(folder, file)) } : {});
    if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(data, 'base64'));
  }
}

/** What a run is called in the editor. */
export const displayName: (run: LabelledRun) => string = runLabel;
