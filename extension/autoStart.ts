import * as vscode from 'vscode';
import { headOf } from './commands/pick.js';
import { isSweepFile } from '../daemon/protocol/runs/sweepName.js';
import type { Daemon } from './daemon/daemon.js';
import { PLAN_LANGUAGE } from './ids.js';
import { isModelText } from './modelText.js';
import { pathOf } from './paths.js';

/** Python files and notebook cells may save a model: the daemon parses them and offers the steps to convert it. */
const savesModels = (document: vscode.TextDocument): boolean =>
  vscode.workspace.isTrusted &&
  ['file', 'vscode-notebook-cell'].includes(document.uri.scheme) &&
  /\.save\(|save_model\(|save_keras_model\(|ModelCheckpoint\(|onnx\.export\(/.test(document.getText());

/** Starts the daemon when a plan, a model or a Python program that saves one is on screen, and reports to it when the folder becomes trusted. */
export function registerAutoStart(daemon: Daemon): vscode.Disposable {
  const look = (document: vscode.TextDocument) => {
    if (daemon.state.kind !== 'idle') return;
    if (document.languageId === 'python' && savesModels(document)) return void daemon.session().catch(() => {});
    if (document.uri.scheme !== 'file') return;
    if (
      document.languageId === PLAN_LANGUAGE ||
      isSweepFile(pathOf(document.uri)) ||
      (document.languageId === 'json' && isModelText(headOf(document)))
    )
      void daemon.session().catch(() => {});
  };
  for (const document of vscode.workspace.textDocuments) look(document);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (daemon.state.kind === 'ready') daemon.state.session.notify('lc/trust', { trusted: true });
      for (const document of vscode.workspace.textDocuments) look(document);
    }),
  );
}
