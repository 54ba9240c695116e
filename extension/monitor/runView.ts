import * as vscode from 'vscode';
import { runLabel, type LabelledRun } from '../../daemon/protocol/runs/runLabel.js';
import type { RunView } from '../../webview/messages/monitor.js';
import type { Run } from '../runs.js';
import type { RunSeries } from './runSeries.js';

/** The name of a run in the editor. */
export const displayName: (run: LabelledRun) => string = runLabel;

/** What the page has of a run beside its series. @param asked what it has been asked to do and has not done yet. */
export const runView = (
  run: string,
  summary: Run,
  series: RunSeries,
  colour: number,
  asked: string | undefined,
): RunView => ({
  id: run,
  name: displayName(summary),
  colour,
  summary,
  hasPlan: summary.planPath !== null,
  device: series.device,
  errorSet: series.errorSet,
  ...(asked !== undefined && { asked }),
  referenceError: series.referenceError,
  directError: series.directError,
  ...(series.path && { path: series.path }),
  layers: series.layers,
  marks: series.marks,
  warnings: series.warnings,
  mapping: series.mapping,
});

/** The title of the monitor's tab. @param primary the run whose numbers it shows. */
export const monitorTitle = (primary: Run | undefined): string =>
  primary ? vscode.l10n.t('LC Prune: {0}', displayName(primary)) : vscode.l10n.t('LC Prune Monitor');
