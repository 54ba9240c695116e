import * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import type { ToPage } from '../../webview/messages/monitor.js';
import type { Daemon } from '../daemon/daemon.js';
import { fileIn, pathOf, uriOf, type AbsolutePath } from '../paths.js';

/** Answers the page's questions to the daemon, as messages. Never rejects. */
export class PageAnswers {
  constructor(private readonly daemon: Daemon) {}

  /** Whether the daemon runs, and if not, why. */
  connection(): ToPage {
    const { state } = this.daemon;
    const problem =
      state.kind === 'failed'
        ? vscode.l10n.t('The daemon is not running: {0} The charts show what was there before.', state.message)
        : state.kind === 'waiting'
          ? vscode.l10n.t('The daemon ended ({0}) and starts again.', state.reason)
          : null;
    return { type: 'connection', problem };
  }

  async picture(run: string, layer: string): Promise<ToPage> {
    try {
      const picture = await this.daemon.request('lc/layer', { run, layer });
      return { type: 'picture', run, layer, picture, problem: null };
    } catch (error) {
      return { type: 'picture', run, layer, picture: null, problem: (error as Error).message };
    }
  }

  /** A run whose figures cannot be read has no card; the rest of the page does not wait for it. */
  async finish(run: string): Promise<ToPage> {
    const finish = await this.daemon.request('lc/finish', { run }).catch((error: Error) => {
      this.daemon.log.error(`What ${run} has come to: ${error.message}`);
      return null;
    });
    return { type: 'finish', run, finish };
  }
}

/** Saves a file that the page has made where the user chooses. @param data base64. @param run its workspace is proposed. */
export async function saveFromPage(name: string, data: string, run: RunSummary | undefined): Promise<void> {
  const first = vscode.workspace.workspaceFolders?.[0];
  const folder: AbsolutePath | undefined = run?.workspace ?? (first && pathOf(first.uri));
  // The name comes from the page: it must be a file name, never a path.
  const file = name.replace(/[^\w.-]+/g, '-').slice(-100);
  const target = await vscode.window.showSaveDialog(folder ? { defaultUri: uriOf(fileIn(folder, file)) } : {});
  if (target) await vscode.workspace.fs.writeFile(target, Buffer.from(data, 'base64'));
}
