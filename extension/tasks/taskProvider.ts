/** Tasks that run a plan or a sweep, or resume a run, by the command line in a terminal: for users who chain tasks, or want no monitor. */
import { delimiter, join, relative } from 'node:path';
import * as vscode from 'vscode';
import { findPlans, findSweeps } from '../commands/pick.js';
import type { SweepSummary } from '../../daemon/protocol/runs/sweep.js';
import type { Daemon } from '../daemon/daemon.js';
import { PROBLEM_MATCHER, TASK } from '../ids.js';
import { pathOf, uriOf, type AbsolutePath } from '../paths.js';
import { isAbandoned, type Runs } from '../runs.js';
import { enginePathSetting } from '../settings.js';

/** As package.json declares it: a plan or a sweep to run, or a run to resume. */
interface Definition extends vscode.TaskDefinition {
  type: typeof TASK;
  /** Relative to the workspace folder. */
  plan?: string;
  /** Relative to the workspace folder. */
  sweep?: string;
  /** Name of a run. */
  run?: string;
  /** Further arguments of the command line: `["--compare", "magnitude"]`. */
  args?: string[];
}

/** The arguments of the command line; null for a definition that has not exactly one of plan, sweep and run. */
export function commandOf({
  plan,
  sweep,
  run,
  args = [],
}: Pick<Definition, 'plan' | 'sweep' | 'run' | 'args'>): string[] | null {
  const subjects = Object.entries({ run: plan, sweep, resume: run }).filter(([, name]) => typeof name === 'string' && name !== ''); // prettier-ignore
  if (subjects.length !== 1) return null;
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== 'string')) return null;
  const [command, name] = subjects[0]!;
  return [command, name!, ...args];
}

type Starts = Pick<Daemon, 'node' | 'engineFolder'>;

async function taskOf(
  definition: Definition,
  folder: vscode.WorkspaceFolder,
  daemon: Starts,
  extensionPath: string,
): Promise<vscode.Task | undefined> {
  const command = commandOf(definition);
  if (!command) return undefined;
  const node = await daemon.node();
  const execution = new vscode.ProcessExecution(node.command, [join(extensionPath, 'dist', 'cli.mjs'), ...command], {
    cwd: pathOf(folder.uri),
    env: { ...node.env, LC_PRUNE_ENGINES: [enginePathSetting(), daemon.engineFolder].filter(Boolean).join(delimiter) },
  });
  const name = definition.plan ?? definition.sweep ?? vscode.l10n.t('resume {0}', definition.run!);
  return new vscode.Task(definition, folder, name, 'lc-prune', execution, `$${PROBLEM_MATCHER}`);
}

/** The task that continues a sweep. @param args of the command line. @returns undefined: its workspace folder is not open. */
export async function sweepTask(
  { sweep }: Pick<SweepSummary, 'sweep'>,
  daemon: Starts,
  extensionPath: string,
  args: string[] = [],
): Promise<vscode.Task | undefined> {
  const folder = folderHolding(sweep);
  return folder && taskOf({ type: TASK, sweep: within(folder, sweep), args }, folder, daemon, extensionPath);
}

/** @param path a file of the folder. */
const within = (folder: vscode.WorkspaceFolder, path: AbsolutePath): string =>
  relative(pathOf(folder.uri), path).replaceAll('\\', '/');

const folderHolding = (path: AbsolutePath) => vscode.workspace.getWorkspaceFolder(uriOf(path));

export function registerTasks(daemon: Starts, runs: Runs, extensionPath: string): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(TASK, {
    async provideTasks() {
      if (!vscode.workspace.isTrusted) return [];
      const wanted: [vscode.WorkspaceFolder | undefined, Definition][] = [];
      for (const plan of await findPlans()) {
        const folder = folderHolding(plan);
        if (folder) wanted.push([folder, { type: TASK, plan: within(folder, plan) }]);
      }
      for (const sweep of await findSweeps()) {
        const folder = folderHolding(sweep);
        if (folder) wanted.push([folder, { type: TASK, sweep: within(folder, sweep) }]);
      }
      for (const run of runs.all.filter(isAbandoned))
        wanted.push([folderHolding(run.folder), { type: TASK, run: run.run }]);
      const tasks = await Promise.all(
        wanted.map(([folder, definition]) => folder && taskOf(definition, folder, daemon, extensionPath)),
      );
      return tasks.filter((task) => task !== undefined);
    },
    resolveTask({ definition, scope }) {
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      return folder && taskOf(definition as Definition, folder, daemon, extensionPath);
    },
  });
}
