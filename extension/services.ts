import type * as vscode from 'vscode';
import type { Daemon } from './daemon/daemon.js';
import type { MonitorHost } from './monitor/monitorHost.js';
import type { Runs } from './runs.js';
import type { RunsTableHost } from './runsTable/runsTableHost.js';
import type { SweepPages } from './sweepPage/sweepPages.js';
import type { Sweeps } from './sweeps.js';
import type { RunStream } from './runStream.js';
import type { ModelView } from './views/modelView.js';

/** The services that commands and views use; built once in `main.ts`. */
export interface Services {
  context: vscode.ExtensionContext;
  log: vscode.LogOutputChannel;
  daemon: Daemon;
  runs: Runs;
  sweeps: Sweeps;
  sweepPages: SweepPages;
  stream: RunStream;
  monitor: MonitorHost;
  runsTable: RunsTableHost;
  modelView: ModelView;
}
