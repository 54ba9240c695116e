import * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import type { RunView, ToHost } from '../../webview/messages/monitor.js';
import type { Daemon } from '../daemon/daemon.js';
import { MONITOR } from '../ids.js';
import type { Runs } from '../runs.js';
import type { RunStream } from '../runStream.js';
import { AskedRuns } from './askedRuns.js';
import { planDifference } from './planDifference.js';
import { FollowedRuns, type Facts } from './followedRuns.js';
import { MonitorPanel } from './monitorPanel.js';
import { PageAnswers, saveFromPage } from './pageAnswers.js';
import { RunColours } from './runColours.js';
import { monitorTitle, runView } from './runView.js';
import { toWire } from './wire.js';
import { LIMITS } from '../limits.js';

/** Key under which the shown runs are kept for a reload. The host keeps them, because the page knows only runs that the daemon has reported. */
const SHOWN = 'monitor.shown';
interface Shown {
  runs: readonly string[];
  primary: string | null;
}

export type Control = (action: Extract<ToHost, { type: 'control' }>['action'], run: RunSummary | undefined) => void;

/** The monitor: one panel, the runs it shows and their series. The page holds nothing that cannot be sent again. */
export class MonitorHost implements vscode.Disposable, vscode.WebviewPanelSerializer {
  #panel: MonitorPanel;
  #feeds: FollowedRuns;
  #order: string[] = [];
  #primary: string | null = null;
  /** Runs that the page knows; it would drop columns of others. */
  #known = new Set<string>();
  #dirty = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #colours: RunColours;
  #answers: PageAnswers;
  #disposables: vscode.Disposable[];
  /** The name of the run that is being started; it has no folder yet. */
  #starting: { readonly name: string; cancelled: boolean } | null = null;
  #asked = new AskedRuns((run) => this.#postView(run));
  /** Set by the commands, which know how to ask for budgets and targets. */
  control: Control = () => {};
  #cancelStart: () => void = () => {};
  #changedShown = new vscode.EventEmitter<void>();
  /** Fires when other runs are shown. */
  readonly onDidChangeShown = this.#changedShown.event;
  exportPoint: (run: RunSummary, point: number) => void = () => {};

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly daemon: Daemon,
    private readonly runs: Runs,
    stream: RunStream,
  ) {
    this.#colours = new RunColours(context.workspaceState);
    this.#feeds = new FollowedRuns(
      daemon,
      stream,
      (run) => this.#touch(run),
      () => this.#postRuns(),
    );
    this.#answers = new PageAnswers(daemon);
    this.#panel = new MonitorPanel(
      context.extensionUri,
      (message) => this.#receive(message),
      () => this.#select([], null),
    );
    this.#disposables = [
      runs.onDidChangeRun(({ run, after }) => {
        if (!this.#feeds.get(run)) return;
        if (after) this.#touch(run);
        else this.remove(run);
      }),
      runs.onDidReset(() => {
        this.#postRuns();
        // A history that arrived before its run's summary waits for this.
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
    if (this.#panel.reveal(false)) this.#postRuns();
  }

  /**
   * Opens the panel before the run exists, so that its page loads while the trainer does; then shows the run. Neither takes the focus from an editor.
   * @param undo removes a run that was started before its start could be cancelled.
   */
  async showStarting(name: string, start: () => Promise<string>, undo: (run: string) => Promise<void>): Promise<void> {
    const opened = !this.#panel.isOpen;
    const starting = { name, cancelled: false };
    this.#starting = starting;
    if (this.#panel.reveal(true)) this.#postRuns();
    const giveUp = () => {
      if (this.#starting === starting) this.#starting = null;
      if (opened && this.#order.length === 0) this.#panel.close();
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
    // The user closed it meanwhile, so it stays closed.
    if (!this.#panel.isOpen) return;
    // Nor is it raised above what the user looks at by now.
    this.#showRuns([run]);
    this.#postRuns();
  }

  /** Shows on the page what a run has been asked to do, at once, until the run does it or rejects it. See `AskedRuns.during`. */
  readonly whileAsked: AskedRuns['during'] = (...asked) => this.#asked.during(...asked);

  #postView(run: string): void {
    const view = this.#known.has(run) ? this.#view(run) : null;
    if (view) this.#panel.post({ type: 'run', view });
    if (run === this.#primary) this.#showTitle();
  }

  /** A run's name contains its start time, which is known a moment after the request. */
  #showTitle(): void {
    this.#panel.title = monitorTitle(this.#primary ? this.runs.get(this.#primary) : undefined);
  }

  #showRuns(runs: readonly string[]): void {
    this.#starting = null;
    this.#select(runs, runs[0] ?? null);
    this.#remember();
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    const { runs, primary } = this.context.workspaceState.get<Shown>(SHOWN) ?? { runs: [], primary: null };
    this.#select(runs, primary);
    this.#panel.adopt(panel);
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
    this.#panel.forget();
    this.#select([], null);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #select(runs: readonly string[], primary: string | null): void {
    this.#feeds.follow(runs);
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
        // A second "ready" comes after a reload or when a hidden page is shown again: the page has nothing.
        this.#feeds.forgetSent();
        this.#postConnection();
        this.#postRuns();
        for (const run of this.#order) this.#dirty.add(run);
        this.#flush();
        break;
      case 'drawn':
        if (this.#dirty.size > 0) this.#schedule();
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
        void this.#answers.picture(message.run, message.layer).then((answer) => this.#panel.post(answer));
        break;
      case 'finish':
        void this.#answers.finish(message.run).then((answer) => this.#panel.post(answer));
        break;
      case 'exportPoint': {
        const summary = this.runs.get(message.run);
        if (summary) this.exportPoint(summary, message.point);
        break;
      }
      case 'save':
        void saveFromPage(message.name, message.data, this.#primary ? this.runs.get(this.#primary) : undefined);
        break;
      case 'failure':
        this.daemon.log.error(`Monitor page: ${message.message}`);
        break;
    }
  }

  #touch(run: string): void {
    this.#dirty.add(run);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#flush(), LIMITS.monitorInterval);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#panel.takesNews) return;
    // A run's first summary can arrive after its first events.
    if (this.#order.some((run) => !this.#known.has(run) && this.runs.get(run))) this.#postRuns();
    let sent = false;
    for (const run of this.#dirty) {
      const entry = this.#feeds.get(run);
      if (!entry || !this.#known.has(run)) continue;
      const tables = entry.feed.series.news(entry.cursor);
      if (tables) this.#panel.post({ type: 'columns', run, tables: toWire(tables) });
      // Most events are batches, which are in the columns.
      const { series } = entry.feed;
      const facts: Facts = [this.runs.get(run), series, series.version];
      if (!facts.every((fact, i) => fact === entry.facts?.[i])) {
        entry.facts = facts;
        this.#postView(run);
      }
      sent = this.#dirty.delete(run);
    }
    if (sent) this.#panel.endNews();
  }

  #postRuns(): void {
    const views = this.#order.map((run) => this.#view(run)).filter((view) => view !== null);
    this.#known = new Set(this.#panel.isReady ? views.map((view) => view.id) : []);
    this.#showTitle();
    this.#panel.post({
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
    this.#panel.post(this.#answers.connection());
  }

  #view(run: string): RunView | null {
    const summary = this.runs.get(run);
    const series = this.#feeds.get(run)?.feed.series;
    if (!summary || !series) return null;
    return runView(run, summary, series, this.#colours.of(run), this.#asked.of(summary));
  }
}
