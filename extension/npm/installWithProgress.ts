import * as vscode from 'vscode';
import type { Services } from '../services.js';
import { findNpm, installPackages, type InstallOptions } from './npm.js';

type Wish = Pick<InstallOptions, 'folder' | 'packages' | 'scripts'> & {
  title: string;
  /** The next step, which runs while the notification is still shown. */
  then?: (progress: vscode.Progress<{ message: string }>) => Promise<void>;
};

/**
 * Installs packages behind a notification that shows npm's lines and can be cancelled; the log keeps them.
 * @throws vscode.CancellationError, or an Error with npm's own reason.
 */
export async function installWithProgress(
  { daemon, log }: Pick<Services, 'daemon' | 'log'>,
  { title, then, ...what }: Wish,
): Promise<void> {
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      const node = await daemon.node();
      try {
        await installPackages({
          ...what,
          node,
          npm: await findNpm(node, process.env.PATH ?? ''),
          signal: abort.signal,
          onLine(line) {
            log.info(`npm: ${line}`);
            progress.report({ message: line.slice(0, 80) });
          },
        });
      } catch (error) {
        if (abort.signal.aborted) throw new vscode.CancellationError();
        throw error;
      }
      await then?.(progress);
    },
  );
}
