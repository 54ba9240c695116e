import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { setContext } from '../contexts.js';
import { CONTEXTS } from '../ids.js';
import { fileIn, pathOf, sameFileAs, uriOf, type AbsolutePath } from '../paths.js';
import { copyExample } from './copyExample.js';

/** Folder of the example that a window is being opened for. */
const OPENING = 'lcPrune.openingExample';
const MODEL = 'model.json';

/** Copies the example to a folder that the user chooses and opens the copy: here if no folder is open, else in another window. */
export async function openExample(context: vscode.ExtensionContext): Promise<void> {
  const parent = await askParent();
  if (!parent) return;
  const from = fileIn(context.extensionPath as AbsolutePath, 'examples', 'lenet300');
  const folder = (await copyExample(from, parent)) as AbsolutePath;
  await context.globalState.update(OPENING, folder);
  const isEmpty = !vscode.workspace.workspaceFolders?.length;
  await vscode.commands.executeCommand(
    'vscode.openFolder',
    uriOf(folder),
    isEmpty ? { forceReuseWindow: true } : { forceNewWindow: true },
  );
}

/** Shows the model of the example where this window was opened for it; does nothing in any other. */
export async function showExample({ globalState }: vscode.ExtensionContext): Promise<void> {
  const folder = globalState.get<AbsolutePath>(OPENING);
  if (folder === undefined) return;
  const isExample = sameFileAs(folder);
  if (!vscode.workspace.workspaceFolders?.some(({ uri }) => isExample(pathOf(uri)))) return;
  await globalState.update(OPENING, undefined);
  setContext(CONTEXTS.hasExample, true);
  await vscode.window.showTextDocument(uriOf(fileIn(folder, MODEL)), { preview: false });
}

/** The folder in which the example's own folder is made. */
async function askParent(): Promise<string | undefined> {
  const chosen = await vscode.window.showQuickPick(
    [
      {
        label: `$(folder) ${vscode.l10n.t('Temporary Folder')}`,
        detail: vscode.l10n.t('In {0}, which the machine clears away one day', tmpdir()),
        isTemporary: true,
      },
      {
        label: `$(folder-opened) ${vscode.l10n.t('Choose a Folder...')}`,
        detail: vscode.l10n.t('A new folder is made in it'),
        isTemporary: false,
      },
    ],
    { title: vscode.l10n.t('A trained LeNet300 and a plan for it: copy them to where?') },
  );
  if (!chosen) return undefined;
  if (chosen.isTemporary) return mkdtemp(join(tmpdir(), 'lc-prune-'));
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('The example gets a new folder in'),
      openLabel: vscode.l10n.t('Copy Here'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  return folder && pathOf(folder);
}
