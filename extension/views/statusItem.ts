import * as vscode from 'vscode';
import { isDoubtful } from '../../daemon/protocol/doubtful.js';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import { duration, shortPercent } from '../../daemon/protocol/format.js';
import { isActive, type Runs } from '../runs.js';
import { keepTraining, SETTINGS } from '../settings.js';
import { runTooltip } from './runText.js';

const COMMANDS = [
  'lcPrune.openMonitor',
  'lcPrune.restartDaemon',
  'lcPrune.showLog',
  'lcPrune.pruneModel',
  'lcPrune.pause',
  'workbench.action.openSettings',
];

/** One status-bar item: what runs, its progress, and what is wrong. Hidden until the daemon has been needed. */
export class StatusItem implements vscode.Disposable {
  #item = vscode.window.createStatusBarItem('lcPrune.status', vscode.StatusBarAlignment.Left, 0);
  #disposables: vscode.Disposable[];

  constructor(
    private readonly daemon: Daemon,
    private readonly runs: Runs,
  ) {
    this.#item.name = 'LC Prune';
    this.#disposables = [
      this.#item,
      daemon.onDidChangeState(() => this.#render()),
      runs.onDidChangeRun(() => this.#render()),
      runs.onDidReset(() => this.#render()),
      vscode.workspace.onDidChangeConfiguration(
        (change) => change.affectsConfiguration(SETTINGS.keepTraining) && this.#render(),
      ),
    ];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #render(): void {
    const { state } = this.daemon;
    this.#item.backgroundColor = undefined;
    this.#item.command = 'lcPrune.openMonitor';
    switch (state.kind) {
      case 'idle':
        this.#item.hide();
        return;
      case 'starting':
        this.#show('$(loading~spin) LC Prune', vscode.l10n.t('Starting the daemon...'));
        return;
      case 'waiting':
        this.#item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
        this.#show('$(warning) LC Prune', vscode.l10n.t('The daemon ended ({0}) and starts again.', state.reason));
        return;
      case 'failed':
        this.#item.backgroundColor = new vscode.ThemeColor('statusBarItem.errorBackground');
        this.#item.command = 'lcPrune.restartDaemon';
        this.#show('$(error) LC Prune', state.message, ['lcPrune.restartDaemon', 'lcPrune.showLog']);
        return;
      case 'ready': {
        const run = this.runs.all.find(isActive) ?? this.runs.all.find((other) => other.state === 'paused');
        const [newest] = this.runs.all;
        if (!run && newest && isDoubtful(newest)) {
          this.#item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
          this.#show(`$(warning) ${newest.plan}`, runTooltip(newest), ['lcPrune.openMonitor']);
        } else if (!run)
          this.#show('$(target) LC Prune', vscode.l10n.t('Ready.'), ['lcPrune.pruneModel', 'lcPrune.openMonitor']);
        else this.#show(runText(run), closingNote(runTooltip(run)), ['lcPrune.openMonitor', 'lcPrune.pause']);
      }
    }
  }

  #show(text: string, tooltip: string | vscode.MarkdownString, links: string[] = []): void {
    const names: Record<string, string> = {
      'lcPrune.openMonitor': vscode.l10n.t('Open Monitor'),
      'lcPrune.restartDaemon': vscode.l10n.t('Restart'),
      'lcPrune.showLog': vscode.l10n.t('Show Log'),
      'lcPrune.pruneModel': vscode.l10n.t('Prune a Model...'),
      'lcPrune.pause': vscode.l10n.t('Pause'),
    };
    const markdown =
      typeof tooltip === 'string' ? new vscode.MarkdownString(undefined, true).appendText(tooltip) : tooltip;
    if (links.length > 0)
      markdown.appendMarkdown(`\n\n${links.map((command) => `[${names[command]}](command:${command})`).join(' · ')}`);
    markdown.isTrusted = { enabledCommands: COMMANDS };
    this.#item.text = text;
    this.#item.tooltip = markdown;
    this.#item.accessibilityInformation = { label: text.replace(/\$\([^)]*\)\s*/g, '') };
    this.#item.show();
  }
}

/** An extension cannot ask a question when a window closes, so the tooltip says beforehand what then happens to training. */
const closingNote = (tooltip: vscode.MarkdownString): vscode.MarkdownString =>
  tooltip.appendMarkdown(
    `\n\n${
      keepTraining()
        ? vscode.l10n.t('Training goes on when this window closes; the next one shows it again.')
        : vscode.l10n.t('Training ends with a checkpoint when this window closes; "Resume" continues it.')
    } ([${vscode.l10n.t('Setting')}](command:workbench.action.openSettings?%22${SETTINGS.keepTraining}%22))\n`,
  );

function runText(run: RunSummary): string {
  const parts = [
    `${run.plan} ${run.iteration}/${run.iterations}`,
    run.error === null ? null : shortPercent(run.error),
    run.state === 'running' && run.etaSeconds !== null ? duration(run.etaSeconds) : null,
  ];
  return `${run.state === 'paused' ? '$(debug-pause)' : '$(sync~spin)'} ${parts.filter(Boolean).join(' · ')}`;
}
