/** The files that an assistant names, or the one in front if it names none. */
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { namedIn, pathOf, uriOf, type AbsolutePath } from '../paths.js';

const isThere = (path: AbsolutePath): Thenable<boolean> =>
  vscode.workspace.fs.stat(uriOf(path)).then(
    () => true,
    () => false,
  );

/**
 * A file of the workspace: by an absolute path, or by one relative to any of its folders. The daemon, which alone reads it, checks that it lies
 * inside a folder.
 * @throws Error if there is none.
 */
export async function fileNamed(name: string): Promise<AbsolutePath> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const [only] = folders;
  if (!only) throw new Error(vscode.l10n.t('No folder is open.'));
  const candidates = isAbsolute(name)
    ? [namedIn(pathOf(only.uri), name)]
    : folders.map(({ uri }) => namedIn(pathOf(uri), name));
  for (const path of candidates) if (await isThere(path)) return path;
  throw new Error(vscode.l10n.t('There is no file {0} in the open folders.', name));
}

/** The file in front, whatever shows it. */
export function fileInFront(): AbsolutePath | null {
  const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
  const uri =
    input instanceof vscode.TabInputCustom || input instanceof vscode.TabInputText
      ? input.uri
      : vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === 'file' ? pathOf(uri) : null;
}
