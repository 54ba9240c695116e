import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { FromRunsTable, TableAction, TableRun, ToRunsTable } from '../../webview/messages/runs.js';
import type { Daemon } from '../daemon/daemon.js';
import { RUNS_TABLE, type CommandName, type RunItem } from '../ids.js';
import type { MonitorHost } from '../monitor/monitorHost.js';
import { displayName } from '../monitor/runView.js';
import { pageOptions, showBuiltPage } from '../page/builtPage.js';
import { fileIn, pathOf, uriOf } from '../paths.js';
import type { Run, Runs } from '../runs.js';
import { LIMITS } from '../limits.js';

/** The page's buttons run the same commands as the palette and the trees. */
const COMMANDS: Record<TableAction, CommandName> = {
  open: 'lcPrune.openMonitor',
  compare: 'lcPrune.compareRuns',
  star: 'lcPrune.starRun',
  tags: 'lcPrune.tagRun',
  note: 'lcPrune.noteRun',
  rename: 'lcPrune.renameRun',
  export: 'lcPrune.exportModel',
  plan: 'lcPrune.openPlan',
  delete: 'lcPrune.deleteRun',
};

/** A run as the page gets it: without file names, but with the host's key of the run. */
export function tableRun(run: Run, runs: Pick<Runs, 'get'>, severalFolders: boolean): TableRun {
  const parent = run.baselineOf === undefined ? undefined : runs.get(fileIn(run.folder, '..', run.baselineOf));
  const {
    name,
    plan,
    model,
    method,
    engine,
    state,
    started,
    ended,
    error,
    referenceError,
    unlabelled,
    kept,
    prunable,
  } = run;
  const { cautions, budget, bytes, seconds, points, marks, job } = run;
  return {
    id: run.run,
    label: displayName(run),
    parent: parent?.run ?? null,
    folder: severalFolders ? basename(run.workspace) : '',
    ...{ name, plan, model, method, engine, state, started, ended, error, referenceError, unlabelled, kept, prunable },
    ...{ cautions, budget, bytes, seconds, points, marks, job },
  };
}

/** The table of all runs: one panel beside the monitor. It selects the runs that the monitor shows, and shows their colours. */
export class RunsTableHost implements vscode.Disposable, vscode.WebviewPanelSerializer {
  #panel: vscode.WebviewPanel | null = null;
  #ready = false;
  #dirty = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #disposables: vscode.Disposable[];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly daemon: Daemon,
    private readonly runs: Runs,
    private readonly monitor: Pick<MonitorHost, 'colours' | 'onDidChangeShown'>,
  ) {
    this.#disposables = [
      runs.onDidReset(() => this.#postRuns()),
      runs.onDidChangeRun(({ run }) => {
        if (!this.#ready) return;
        this.#dirty.add(run);
        this.#timer ??= setTimeout(() => this.#flush(), LIMITS.tableInterval);
      }),
      monitor.onDidChangeShown(() => this.#postShown()),
      daemon.onDidChangeState(() => this.#postConnection()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#postRuns()),
      vscode.window.registerWebviewPanelSerializer(RUNS_TABLE, this),
    ];
  }

  /** Opens the table, or brings it to the front. */
  show(): void {
    if (this.#panel) return this.#panel.reveal();
    const title = vscode.l10n.t('LC Prune Runs');
    this.#adopt(vscode.window.createWebviewPanel(RUNS_TABLE, title, vscode.ViewColumn.Active, this.#options()));
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    panel.webview.options = this.#options();
    this.#adopt(panel);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#ready = false;
    this.#panel = null;
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #options(): vscode.WebviewOptions & vscode.WebviewPanelOptions {
    return {
      ...pageOptions(this.extensionUri),
      // The selection and the scroll position survive behind another tab.
      retainContextWhenHidden: true,
    };
  }

  #adopt(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#ready = false;
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'monitor.svg');
    panel.onDidDispose(() => {
      if (this.#panel !== panel) return;
      this.#panel = null;
      this.#ready = false;
    });
    panel.webview.onDidReceiveMessage((message: FromRunsTable) => this.#receive(message));
    showBuiltPage(panel.webview, this.extensionUri, 'runs', vscode.l10n.t('LC Prune Runs'));
  }

  #post(message: ToRunsTable): void {
    if (this.#ready) void this.#panel?.webview.postMessage(message);
  }

  #postRuns(): void {
    this.#dirty.clear();
    const runs = this.runs.all.map((run) => this.#view(run));
    this.#post({ type: 'runs', runs, trusted: vscode.workspace.isTrusted });
  }

  #postShown(): void {
    this.#post({ type: 'shown', colours: this.monitor.colours });
  }

  #postConnection(): void {
    const { state } = this.daemon;
    this.#post({
      type: 'connection',
      problem:
        state.kind === 'failed'
          ? vscode.l10n.t('The daemon is not running: {0} The list is as it was before.', state.message)
          : null,
    });
  }

  #view(run: Run): TableRun {
    return tableRun(run, this.runs, (vscode.workspace.workspaceFolders?.length ?? 0) > 1);
  }

  #flush(): void {
    this.#timer = undefined;
    for (const id of this.#dirty) {
      const run = this.runs.get(id);
      this.#post({ type: 'run', id, run: run ? this.#view(run) : null });
    }
    this.#dirty.clear();
  }

  #receive(message: FromRunsTable): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#postConnection();
        this.#postRuns();
        this.#postShown();
        // A new window has no daemon yet.
        void this.daemon.session().catch(() => {});
        break;
      case 'act':
        this.#act(message.action, message.runs, message.point);
        break;
      case 'star':
        void this.#star(message.run, message.star);
        break;
      case 'copy':
        void this.#copy(message.text);
        break;
      case 'save':
        void this.#save(message.text);
        break;
      case 'start':
        void vscode.commands.executeCommand('lcPrune.pruneModel' satisfies CommandName);
        break;
      case 'failure':
        this.daemon.log.error(`Runs table: ${message.message}`);
        break;
    }
  }

  #act(action: TableAction, ids: readonly string[], point: number | null): void {
    const items: RunItem[] = ids.flatMap((id) => this.runs.get(id) ?? []).map((summary) => ({ summary }));
    const [first] = items;
    if (!first || !Object.hasOwn(COMMANDS, action)) return;
    const argument = action === 'export' && point !== null ? { ...first, point } : first;
    void vscode.commands.executeCommand(COMMANDS[action], argument, items);
  }

  async #star(run: string, star: boolean): Promise<void> {
    try {
      await this.daemon.request('lc/mark', { run, change: { star } });
    } catch (error) {
      void vscode.window.showErrorMessage((error as Error).message);
    }
  }

  async #copy(text: string): Promise<void> {
    await vscode.env.clipboard.writeText(text);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied the table of runs.'), 3000);
  }

  async #save(text: string): Promise<void> {
    const [first] = vscode.workspace.workspaceFolders ?? [];
    const target = await vscode.window.showSaveDialog({
      title: vscode.l10n.t('Save the Table of Runs'),
      filters: { CSV: ['csv'] },
      ...(first && { defaultUri: uriOf(fileIn(pathOf(first.uri), 'runs.csv')) }),
    });
    if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(text));
  }
}
