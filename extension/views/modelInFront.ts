import * as vscode from 'vscode';
import { headOf, isPlanPath } from '../commands/pick.js';
import { CONTEXTS, MODEL_EDITOR } from '../ids.js';
import { isModelText } from '../modelText.js';
import { pathOf } from '../paths.js';

/** Keeps the context key of the editor's title actions: whether a model is in front, decided by its content for text files. */
export function watchModelInFront(): vscode.Disposable {
  let was: boolean | undefined;
  const look = () => {
    const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
    const document = vscode.window.activeTextEditor?.document;
    const isModel =
      (input instanceof vscode.TabInputCustom && input.viewType === MODEL_EDITOR) ||
      (input instanceof vscode.TabInputText &&
        document?.uri.scheme === 'file' &&
        document.languageId.startsWith('json') &&
        !isPlanPath(pathOf(document.uri)) &&
        isModelText(headOf(document)));
    if (isModel !== was) void vscode.commands.executeCommand('setContext', CONTEXTS.modelInFront, (was = isModel));
  };
  look();
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(look),
    vscode.window.tabGroups.onDidChangeTabs(look),
  );
}
