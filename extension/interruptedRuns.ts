import * as vscode from 'vscode';
import type { Daemon } from './daemon/daemon.js';
import { needed } from './notifications.js';
import { isActive, type Run, type Runs } from './runs.js';
import { autoResume } from './settings.js';
import { LIMITS } from './limits.js';

/**
 * Runs that were interrupted against the user's will, in this window or before it was opened. There is one notification for all that are interrupted
 * at about the same time. Runs interrupted before this window was opened can resume without a question.
 */
export class InterruptedRuns implements vscode.Disposable {
  #waiting = new Set<string>();
  /** Runs interrupted while no window looked after them. */
  #left = new Set<string>();
  /** Runs that the user has been notified of. */
  #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #disposables: vscode.Disposable[];

  constructor(
    private readonly runs: Pick<Runs, 'get' | 'load' | 'onDidChangeRun'>,
    private readonly daemon: Pick<Daemon, 'on' | 'log'>,
    private readonly quiet: number = LIMITS.quietTime,
  ) {
    this.#disposables = [
      daemon.on('lc/left', (left) => {
        for (const run of left.folders) {
          this.#left.add(run);
          this.#add(run);
        }
      }),
      runs.onDidChangeRun(({ run, before, after }) => {
        if (after && isActive(after)) this.#told.delete(run);
        if (before && isActive(before) && after?.state === 'interrupted') this.#add(run);
      }),
    ];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #add(run: string): void {
    if (this.#told.has(run)) return;
    this.#waiting.add(run);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tell().catch((error: Error) => this.daemon.log.error(error)), this.quiet);
  }

  async #tell(): Promise<void> {
    const names = [...this.#waiting];
    this.#waiting.clear();
    for (const name of names) this.#told.add(name);
    if (names.some((name) => !this.runs.get(name))) await this.runs.load();
    // Another process may have resumed one meanwhile.
    const cut = names.flatMap((name) => this.runs.get(name) ?? []).filter(({ state }) => state === 'interrupted');
    const isAutomatic = ({ run }: Run) => this.#left.has(run) && autoResume() && vscode.workspace.isTrusted;
    const automatic = cut.filter(isAutomatic);
    for (const run of cut) this.#left.delete(run.run);
    await resume(automatic);
    const [first, ...others] = cut.filter((run) => !automatic.includes(run));
    if (!first) return;
    if (others.length === 0) return needed(first, this.daemon.log);
    const all = vscode.l10n.t('Resume All');
    const choice = await vscode.window.showWarningMessage(
      vscode.l10n.t(
        '{0} runs were interrupted; nothing is lost up to the last checkpoint of each.',
        String(others.length + 1),
      ),
      all,
      vscode.l10n.t('Show Runs'),
    );
    if (choice === all) await resume([first, ...others]);
    else if (choice !== undefined) await vscode.commands.executeCommand('lcPrune.runs.focus');
  }
}

/** One after the other: each loads its model. */
async function resume(runs: readonly Run[]): Promise<void> {
  for (const summary of runs) await vscode.commands.executeCommand('lcPrune.resume', { summary });
}
