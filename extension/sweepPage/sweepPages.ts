import * as vscode from 'vscode';
import type { SweepSummary } from '../../daemon/protocol/runs/sweep.js';
import type { FromSweepPage, ToSweepPage } from '../../webview/messages/sweep.js';
import type { Daemon } from '../daemon/daemon.js';
import { SWEEP_PAGE, type CommandArguments, type CommandName } from '../ids.js';
import { pageOptions, showBuiltPage } from '../page/builtPage.js';
import { uriOf, type AbsolutePath } from '../paths.js';
import type { Sweeps } from '../sweeps.js';
import { sweepDescription, sweepName } from '../views/sweepText.js';

type Part = Pick<Sweeps, 'all' | 'progress' | 'onDidChange'>;

/** The page of one sweep in its panel. It is drawn anew whenever a run of a sweep begins or ends. */
class SweepPanel {
  #ready = false;
  /** A question about the results is on its way. */
  #asking = false;
  /** Something has changed since then. */
  #isOld = false;

  constructor(
    private sweep: SweepSummary,
    readonly panel: vscode.WebviewPanel,
    private readonly daemon: Pick<Daemon, 'request' | 'log'>,
    private readonly sweeps: Part,
  ) {
    panel.webview.onDidReceiveMessage((message: FromSweepPage) => this.#receive(message));
  }

  async update(): Promise<void> {
    if (!this.#ready) return;
    this.sweep = this.sweeps.all.find(({ sweep }) => sweep === this.sweep.sweep) ?? this.sweep;
    const progress = sweepDescription(this.sweeps.progress(this.sweep));
    const { isTrusted: trusted } = vscode.workspace;
    this.#post({ type: 'sweep', name: sweepName(this.sweep), plan: this.sweep.planPath, progress, trusted });
    this.#isOld = true;
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#isOld) {
        this.#isOld = false;
        const results = await this.daemon.request('lc/sweepResults', { sweep: this.sweep.sweep });
        this.#post({ type: 'results', results });
        this.#post({ type: 'problem', message: null });
      }
    } catch (error) {
      this.#post({ type: 'problem', message: (error as Error).message });
    } finally {
      this.#asking = false;
    }
  }

  #post(message: ToSweepPage): void {
    void this.panel.webview.postMessage(message);
  }

  #receive(message: FromSweepPage): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        void this.update();
        break;
      case 'show':
        showRuns(message.runs as AbsolutePath[]);
        break;
      case 'asText':
        void this.#asText(message.format);
        break;
      case 'failure':
        this.daemon.log.error(`Page of a sweep: ${message.message}`);
        break;
    }
  }

  async #asText(format: 'markdown' | 'csv'): Promise<void> {
    try {
      const written = await this.daemon.request('lc/sweepTable', { sweep: this.sweep.sweep });
      const uri = uriOf(written[format]);
      if (format === 'markdown') await vscode.commands.executeCommand('markdown.showPreview', uri);
      else await vscode.window.showTextDocument(uri);
    } catch (error) {
      this.#post({ type: 'problem', message: (error as Error).message });
    }
  }
}

/** One run opens in the monitor, several are compared there. */
function showRuns(runs: readonly AbsolutePath[]): void {
  const execute = <N extends CommandName>(name: N, argument: CommandArguments[N]) =>
    void vscode.commands.executeCommand(name, argument);
  if (runs.length > 1) execute('lcPrune.compareRuns', { runs: [...runs] });
  else if (runs.length === 1) execute('lcPrune.openMonitor', { run: runs[0]! });
}

/** The pages of sweeps: one for each sweep, as the user opens them. */
export class SweepPages implements vscode.Disposable {
  #panels = new Map<AbsolutePath, SweepPanel>();
  #disposables: vscode.Disposable[];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly daemon: Pick<Daemon, 'request' | 'log'>,
    private readonly sweeps: Part,
  ) {
    const update = () => {
      for (const panel of this.#panels.values()) void panel.update();
    };
    this.#disposables = [sweeps.onDidChange(update), vscode.workspace.onDidGrantWorkspaceTrust(update)];
  }

  /** Opens the page of a sweep, or brings it to the front. */
  show(sweep: SweepSummary): void {
    const known = this.#panels.get(sweep.sweep);
    if (known) return known.panel.reveal();
    const title = sweepName(sweep);
    const panel = vscode.window.createWebviewPanel(SWEEP_PAGE, title, vscode.ViewColumn.Active, {
      ...pageOptions(this.extensionUri),
      // The chosen row survives behind another tab.
      retainContextWhenHidden: true,
    });
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'monitor.svg');
    this.#panels.set(sweep.sweep, new SweepPanel(sweep, panel, this.daemon, this.sweeps));
    panel.onDidDispose(() => this.#panels.delete(sweep.sweep));
    showBuiltPage(panel.webview, this.extensionUri, 'sweep', title);
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }
}
