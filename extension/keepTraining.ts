import { readdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Daemon } from './daemon/daemon.js';
import { fileIn, pathOf } from './paths.js';
import { keepTraining, SETTINGS } from './settings.js';

/**
 * Has the daemon take over the runs that closed windows have left in this window's folders, and starts it if there are any. Reports to it whether
 * training continues after this window closes too.
 */
export function registerKeepTraining(daemon: Daemon): vscode.Disposable {
  const adopt = () => {
    if (daemon.state.kind !== 'ready' || !vscode.workspace.isTrusted) return;
    daemon.request('lc/adopt', null).catch((error: unknown) => daemon.log.error(error as Error));
  };
  const look = async () => {
    if (daemon.state.kind === 'idle' && vscode.workspace.isTrusted && (await hasKept()))
      await daemon.session().catch(() => {});
  };
  void look();
  return vscode.Disposable.from(
    daemon.onDidChangeState(({ kind }) => kind === 'ready' && adopt()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      // The daemon must learn of the trust first.
      setTimeout(adopt, 0);
      void look();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      setTimeout(adopt, 0);
      void look();
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(SETTINGS.keepTraining) && daemon.state.kind === 'ready')
        daemon.state.session.notify('lc/keepTraining', { on: keepTraining() });
    }),
  );
}

/** Whether a window looked after a run of an open folder when that window went away; docs/runs.md says where that is kept. */
async function hasKept(): Promise<boolean> {
  for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
    if (uri.scheme !== 'file') continue;
    const names = await readdir(fileIn(pathOf(uri), '.lcprune', 'kept')).catch(() => []);
    if (names.some((name) => !name.startsWith('.'))) return true;
  }
  return false;
}
