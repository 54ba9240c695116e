import * as vscode from 'vscode';
import { isLaunchError } from '../daemon/launchError.js';
import { COMMANDS, type CommandArguments, type CommandName } from '../ids.js';
import { pathOf, type AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';
import { isPlanPath } from './pick.js';

/** What must hold before a command runs. */
export type Need = 'nothing' | 'folder' | 'trust';

export interface Command<N extends CommandName> {
  needs: Need;
  /** `argument` is undefined from the palette; `selected` are all selected tree items. */
  run(argument: CommandArguments[N] | undefined, selected: readonly unknown[]): Promise<void> | void;
}

export type CommandTable = { [N in CommandName]: Command<N> };

/** Shows what is missing and how to get it; true if nothing is missing. */
async function satisfied(need: Need): Promise<boolean> {
  if (need === 'nothing') return true;
  if (!vscode.workspace.workspaceFolders?.length) {
    const open = vscode.l10n.t('Open Folder...');
    const choice = await vscode.window.showInformationMessage(
      vscode.l10n.t('LC Prune works on the models of a folder: open one first.'),
      open,
    );
    if (choice === open) await vscode.commands.executeCommand('vscode.openFolder');
    return false;
  }
  if (need === 'trust' && !vscode.workspace.isTrusted) {
    const manage = vscode.l10n.t('Manage Workspace Trust');
    const choice = await vscode.window.showWarningMessage(
      vscode.l10n.t('This folder is not trusted, so nothing in it is run or written.'),
      manage,
    );
    if (choice === manage) await vscode.commands.executeCommand('workbench.trust.manage');
    return false;
  }
  return true;
}

/** Shows a failed command's error once, in the daemon's words if it has some; the details are in the log. */
function report(error: unknown, log: vscode.LogOutputChannel): void {
  // The daemon's state already shows why it does not run.
  if (isLaunchError(error) || error instanceof vscode.CancellationError) return;
  log.error(error instanceof Error ? error : String(error));
  const show = vscode.l10n.t('Show Log');
  void vscode.window
    .showErrorMessage(error instanceof Error ? error.message : String(error), show)
    .then((choice) => choice === show && log.show());
}

export function registerCommands(table: CommandTable, { context, log }: Services): void {
  for (const name of COMMANDS) {
    const command = table[name] as Command<CommandName>;
    context.subscriptions.push(
      vscode.commands.registerCommand(name, async (argument?: unknown, selected?: unknown) => {
        try {
          if (!(await satisfied(command.needs))) return;
          await command.run(await validated(name, argument), Array.isArray(selected) ? selected : []);
        } catch (error) {
          report(error, log);
        }
      }),
    );
  }
}

/** Arguments of CodeLens commands come over the socket: they are checked. Those of trees are our own items. */
async function validated(name: CommandName, argument: unknown): Promise<never | undefined> {
  if (typeof argument !== 'object' || argument === null) return undefined;
  // Menus of the explorer and the editor hand over a file.
  if (argument instanceof vscode.Uri) return fileArgument(pathOf(argument)) as never;
  if ('summary' in argument || 'kind' in argument) return argument as never;
  const { commandArguments, issueText } = await import('../client.js');
  const schema = commandArguments[name as keyof typeof commandArguments];
  if (!schema) return argument as never;
  const parsed = schema.safeParse(argument);
  if (parsed.success) return parsed.data as never;
  throw new Error(vscode.l10n.t('{0} cannot be run so: {1}.', name, issueText(parsed.error, argument)));
}

const fileArgument = (path: AbsolutePath): { plan: AbsolutePath } | { model: AbsolutePath } =>
  isPlanPath(path) ? { plan: path } : { model: path };
