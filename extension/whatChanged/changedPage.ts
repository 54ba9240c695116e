import * as vscode from 'vscode';
import type { TriedSample } from '../../daemon/protocol/whatChanged.js';
import type { FromChangedPage, ToChangedPage } from '../../webview/messages/changed.js';
import { CHANGED_PAGE } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import { openJobPage, type JobPage } from '../page/jobPage.js';
import { pathOf, uriOf } from '../paths.js';
import type { Run } from '../runs.js';
import type { Services } from '../services.js';
import { LIMITS } from '../limits.js';

interface Wish {
  /** A point of a path run. */
  readonly point: number | undefined;
  /** The user opened the page to try a sample. */
  readonly tryIt: boolean;
}

type Page = JobPage<ToChangedPage>;

/** The page of what pruning changed in a run. Each call opens one. */
export function showChangedPage(services: Services, run: Run, { point, tryIt }: Wish): void {
  const { daemon } = services;
  const name = displayName(run);
  const of = { run: run.run, ...(point !== undefined && { point }) };

  function compute({ post, compute }: Page): Promise<void> {
    post({ type: 'run', name });
    return compute(
      (progress, token) => daemon.request('lc/changed', { ...of, progress }, token),
      (changed) => post({ type: 'changed', changed, tryIt }),
    );
  }

  async function answer({ post }: Page, sample: TriedSample): Promise<void> {
    try {
      post({ type: 'tried', answer: await daemon.request('lc/trySample', { ...of, sample }) });
    } catch (error) {
      post({ type: 'tryProblem', message: (error as Error).message });
    }
  }

  async function tryFile(page: Page): Promise<void> {
    const [file] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('An image for both networks'),
        defaultUri: uriOf(run.workspace),
        filters: { [vscode.l10n.t('Images')]: ['png', 'jpg', 'jpeg', 'bmp', 'webp', 'gif', 'tif', 'tiff'] },
      })) ?? [];
    if (!file) return;
    // The daemon reads files of the workspace only.
    if (vscode.workspace.getWorkspaceFolder(file)) return answer(page, { kind: 'file', file: pathOf(file) });
    const bytes = await vscode.workspace.fs.readFile(file);
    if (bytes.length > LIMITS.triedImage)
      return page.post({
        type: 'tryProblem',
        message: vscode.l10n.t('This image is larger than 1 MB: put it into the workspace folder first.'),
      });
    const shown = vscode.workspace.asRelativePath(file).slice(-300);
    return answer(page, { kind: 'image', name: shown, data: Buffer.from(bytes).toString('base64') });
  }

  const title = vscode.l10n.t('What Changed: {0}', name);
  openJobPage<ToChangedPage, FromChangedPage>(
    services,
    { viewType: CHANGED_PAGE, title, page: 'changed' },
    compute,
    (message, page) => {
      switch (message.type) {
        case 'tryFile':
          void tryFile(page);
          break;
        case 'tryValues':
          void answer(page, { kind: 'values', inputs: message.inputs });
          break;
      }
    },
  );
}
