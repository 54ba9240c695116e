/** Sweeps in lists. */
import * as vscode from 'vscode';
import { shortDate } from '../../daemon/protocol/runs/runLabel.js';
import type { SweepSummary } from '../../daemon/protocol/runs/sweep.js';
import type { SweepProgress } from '../sweeps.js';

export const sweepName = ({ name, started }: Pick<SweepSummary, 'name' | 'started'>): string =>
  vscode.l10n.t('Sweep {0} {1}', name, shortDate(started));

/** "3/12 done · 1 failed · running". */
export function sweepDescription({ state, done, failed, total }: SweepProgress): string {
  const states = { running: vscode.l10n.t('running'), stopped: vscode.l10n.t('stopped'), done: null };
  return [
    vscode.l10n.t('{0}/{1} done', done, total),
    failed > 0 ? vscode.l10n.t('{0} failed', failed) : null,
    states[state],
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

export function sweepIcon({ state, failed }: Pick<SweepProgress, 'state' | 'failed'>): vscode.ThemeIcon {
  const of = (icon: string, colour: string) => new vscode.ThemeIcon(icon, new vscode.ThemeColor(colour));
  if (state === 'running') return of('sync~spin', 'charts.blue');
  if (state === 'done') return of('pass', 'testing.iconPassed');
  return failed > 0 ? of('error', 'problemsErrorIcon.foreground') : of('debug-stop', 'problemsWarningIcon.foreground');
}
