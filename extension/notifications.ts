import * as vscode from 'vscode';
import { isDoubtful } from '../daemon/protocol/doubtful.js';
import type { Daemon } from './daemon/daemon.js';
import { duration, shortPercent } from '../daemon/protocol/format.js';
import { displayName } from './monitor/runView.js';
import { isActive, type Run, type Runs } from './runs.js';
import { notifyAfterSeconds } from './settings.js';

/** Notifies only when a long run ended, or when the user must decide. */
export function registerNotifications(runs: Runs, daemon: Daemon): vscode.Disposable {
  return runs.onDidChangeRun(({ before, after }) => {
    if (!before || !after || before.state === after.state || !isActive(before)) return;
    if (after.state === 'done') void (isDoubtful(after) ? doubtful(after) : finished(after));
    // There may be many interrupted runs at once: see `InterruptedRuns`.
    else if (after.state === 'failed' || after.state === 'crashed') void needed(after, daemon.log);
  });
}

async function finished(run: Run): Promise<void> {
  const seconds = ((run.ended ?? Date.now()) - run.started) / 1000;
  const limit = notifyAfterSeconds();
  if (limit < 0 || seconds < limit) return;
  const kept = run.kept !== null && run.prunable ? run.kept / run.prunable : null;
  const open = vscode.l10n.t('Open Monitor');
  const exportIt = vscode.l10n.t('Export...');
  const figures = [
    displayName(run),
    duration(seconds),
    run.error === null ? '–' : shortPercent(run.error),
    kept === null ? '–' : shortPercent(kept),
  ];
  const choice = await vscode.window.showInformationMessage(
    run.unlabelled
      ? vscode.l10n.t('{0} finished after {1}: {2} unlike the reference with {3} of the weights.', ...figures)
      : vscode.l10n.t('{0} finished after {1}: {2} error with {3} of the weights.', ...figures),
    open,
    exportIt,
  );
  if (choice === open) await vscode.commands.executeCommand('lcPrune.openMonitor', { summary: run });
  if (choice === exportIt) await vscode.commands.executeCommand('lcPrune.exportModel', { summary: run });
}

/** Shown after the shortest run too: the result has findings. The monitor lists all of them. */
async function doubtful(run: Run): Promise<void> {
  const [{ message } = { message: '' }] = run.cautions ?? [];
  const open = vscode.l10n.t('Open Monitor');
  const again = vscode.l10n.t('Run Again with Another Learning Rate');
  const isRateOpen = run.planPath !== null && run.cautions?.some(({ rate }) => rate);
  const choice = await vscode.window.showWarningMessage(
    `${displayName(run)}: ${message}`,
    open,
    ...(isRateOpen ? [again] : []),
  );
  if (choice === again) await vscode.commands.executeCommand('lcPrune.runWithOtherRate', { summary: run });
  if (choice === open) await vscode.commands.executeCommand('lcPrune.openMonitor', { summary: run });
}

/** What happened. Work up to the last checkpoint is kept, unless the run itself has failed. */
function whatHappened(run: Run): string {
  const { state, ending, message } = run;
  const name = displayName(run);
  if (state === 'failed') return vscode.l10n.t('{0} failed: {1}', name, message ?? vscode.l10n.t('see the log'));
  if (ending?.cause === 'memory')
    return vscode.l10n.t(
      'The trainer of {0} was killed ({1}), perhaps for want of memory; a new run with a smaller "training.batchSize" needs less. Nothing is lost up to its last checkpoint.',
      name,
      ending.how,
    );
  if (ending)
    return vscode.l10n.t(
      'The trainer of {0} was ended by {1} (engine {2}); nothing is lost up to its last checkpoint.',
      name,
      ending.how,
      ending.engine,
    );
  return vscode.l10n.t('{0} was interrupted; nothing is lost up to its last checkpoint.', name);
}

/** Reports what happened to a run that needs the user, and offers the next step. */
export async function needed(run: Run, log: vscode.LogOutputChannel): Promise<void> {
  const next = run.state === 'crashed' ? (run.ending?.next ?? null) : null;
  const show = vscode.l10n.t('Show Log');
  const go = next === null ? vscode.l10n.t('Resume') : vscode.l10n.t('Continue on {0}', next);
  const choice = await vscode.window.showWarningMessage(
    whatHappened(run),
    ...(run.state === 'failed' ? [] : [go]),
    show,
  );
  if (choice === go && next === null) await vscode.commands.executeCommand('lcPrune.resume', { summary: run });
  else if (choice === go)
    await vscode.commands.executeCommand('lcPrune.continueOnEngine', { summary: run, engine: next });
  if (choice === show) log.show();
}
