import * as vscode from 'vscode';
import type { CommandName } from '../ids.js';
import type { ControlAction } from '../../webview/messages/monitor.js';
import type { MonitorHost } from './monitorHost.js';

const COMMAND: Record<ControlAction, CommandName> = {
  pause: 'lcPrune.pause',
  resume: 'lcPrune.resume',
  switchEngine: 'lcPrune.continueOnEngine',
  stop: 'lcPrune.stop',
  budget: 'lcPrune.setRunBudget',
  export: 'lcPrune.exportModel',
  plan: 'lcPrune.openPlan',
  otherRate: 'lcPrune.runWithOtherRate',
  report: 'lcPrune.openReport',
  runAgain: 'lcPrune.runAgain',
  whatChanged: 'lcPrune.whatChanged',
  tryIt: 'lcPrune.whatChanged',
  compare: 'lcPrune.compareRuns',
  runs: 'lcPrune.showRuns',
  log: 'lcPrune.showLog',
  start: 'lcPrune.pruneModel',
};

/** The page's buttons run the same commands as the palette and the trees. */
export function connectMonitor(monitor: MonitorHost): void {
  monitor.control = (action, summary) => {
    const command = Object.hasOwn(COMMAND, action) ? COMMAND[action] : undefined;
    const argument = summary && { summary, ...(action === 'tryIt' && { tryIt: true }) };
    if (command) void vscode.commands.executeCommand(command, argument);
  };
  monitor.exportPoint = (summary, point) =>
    void vscode.commands.executeCommand('lcPrune.exportModel' satisfies CommandName, { summary, point });
}
