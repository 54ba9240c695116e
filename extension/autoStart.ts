import * as vscode from 'vscode';
import { headOf } from './commands/pick.js';
import type { Daemon } from './daemon/daemon.js';
import { PLAN_LANGUAGE } from './ids.js';
import { isModelText } from './modelText.js';

/** Starts the daemon for a plan or a model on screen, and tells it when the folder becomes trusted. */
export function registerAutoStart(daemon: Daemon): vscode.Disposable {
  const look = (document: vscode.TextDocument) => {
    if (document.uri.scheme !== 'file' || daemon.state.kind !== 'idle') return;
    if (document.languageId === PLAN_LANGUAGE || (document.languageId === 'json' && isModelText(headOf(document))))
      void daemon.session().catch(() => {});
  };
  for (const document of vscode.workspace.textDocuments) look(document);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (daemon.state.kind === 'ready') daemon.state.session.notify('lc/trust', { trusted: true });
    }),
  );
}
