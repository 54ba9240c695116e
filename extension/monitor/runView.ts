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
