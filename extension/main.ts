import * as vscode from 'vscode';
import { analysisCommands } from './commands/analysis.js';
import { registerCommands } from './commands/command.js';
import { installEngineCommands } from './commands/installEngine.js';
import { markCommands } from './commands/marks.js';
import { planCommands } from './commands/plans.js';
import { sweepCommands } from './commands/sweeps.js';
import { resumeOnCommand } from './commands/resumeOn.js';
import { resultCommands } from './commands/results.js';
import { runCommands } from './commands/runs.js';
import { serviceCommands } from './commands/service.js';
import { Daemon } from './daemon/daemon.js';
import { registerLanguageTools } from './assistant/languageTools.js';
import { registerMcpServers } from './assistant/mcpServers.js';
import { showExample } from './example/openExample.js';
import { InterruptedRuns } from './interruptedRuns.js';
import { registerKeepTraining } from './keepTraining.js';
import { connectMonitor } from './monitor/connectMonitor.js';
import { ModelEditor } from './modelEditor/modelEditor.js';
import { MonitorHost } from './monitor/monitorHost.js';
import { pathOf } from './paths.js';
import { registerNotifications } from './notifications.js';
import { Runs } from './runs.js';
import { RunsTableHost } from './runsTable/runsTableHost.js';
import { SweepPages } from './sweepPage/sweepPages.js';
import { Sweeps } from './sweeps.js';
import { RunStream } from './runStream.js';
import type { Services } from './services.js';
import { registerAutoStart } from './autoStart.js';
import { registerTasks } from './tasks/taskProvider.js';
import { registerWalkthrough } from './walkthrough.js';
import { EngineView } from './views/engineView.js';
import { watchModelInFront } from './views/modelInFront.js';
import { ModelView } from './views/modelView.js';
import { RunsView } from './views/runsView.js';
import { StatusItem } from './views/statusItem.js';

let daemon: Daemon | undefined;

/** Registers everything and starts nothing: the daemon starts with the first command that needs it. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('LC Prune', { log: true });
  daemon = new Daemon(context.extensionPath, pathOf(vscode.Uri.joinPath(context.globalStorageUri, 'engines')), log);
  const runs = new Runs(daemon);
  const sweeps = new Sweeps(daemon, runs);
  const sweepPages = new SweepPages(context.extensionUri, daemon, sweeps);
  const stream = new RunStream(daemon);
  const monitor = new MonitorHost(context, daemon, runs, stream);
  const runsTable = new RunsTableHost(context.extensionUri, daemon, runs, monitor);
  const modelView = new ModelView(daemon, runs, stream);
  const services: Services = { context, log, daemon, runs, sweeps, sweepPages, stream, monitor, runsTable, modelView };
  registerCommands(
    {
      ...analysisCommands(services),
      ...planCommands(services),
      ...sweepCommands(services),
      ...runCommands(services),
      ...resumeOnCommand(services),
      ...resultCommands(services),
      ...markCommands(services),
      ...serviceCommands(services),
      ...installEngineCommands(services),
    },
    services,
  );
  connectMonitor(monitor);
  context.subscriptions.push(
    log,
    runs,
    sweeps,
    sweepPages,
    stream,
    monitor,
    runsTable,
    modelView,
    new RunsView(runs, sweeps, () => void daemon?.session().catch(() => {})),
    new ModelEditor(context.extensionUri, daemon, runs, stream).register(),
    new EngineView(daemon, runs),
    new StatusItem(daemon, runs),
    registerNotifications(runs, daemon),
    new InterruptedRuns(runs, daemon),
    registerAutoStart(daemon),
    watchModelInFront(),
    registerMcpServers(daemon, context),
    registerLanguageTools(services),
    registerTasks(daemon, runs, context.extensionPath),
    registerKeepTraining(daemon),
    registerWalkthrough(),
  );
  void showExample(context).then(undefined, (error: unknown) => log.error(error as Error));
}

/** The daemon continues training without the window, or ends it with a checkpoint, as the setting says. */
export async function deactivate(): Promise<void> {
  await daemon?.dispose();
}
