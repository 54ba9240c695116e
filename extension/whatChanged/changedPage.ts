import * as vscode from 'vscode';
import type { TriedSample } from '../../daemon/protocol/whatChanged.js';
import type { FromChangedPage, ToChangedPage } from '../../webview/whatChanged/messages.js';
import { CHANGED_PAGE } from '../ids.js';
import { displayName } from '../monitor/monitorHost.js';
import { pageHtml } from '../page/html.js';
import { pageStrings } from '../page/strings.js';
import { pathOf, uriOf } from '../paths.js';
import type { Run } from '../runs.js';
import type { Services } from '../services.js';

interface Wish {
  /** Of a path run. */
  readonly point: number | undefined;
  /** The person came to try a sample. */
  readonly tryIt: boolean;
}

/** An image of another folder travels in the message, which is bounded (daemon/server/limits.ts). */
const MOST_BYTES = 1 << 20;

let names = 0;

/** The page of what pruning changed in a run. Each call opens one; closing it ends what it computes. */
export function showChangedPage({ context, daemon, log }: Services, run: Run, { point, tryIt }: Wish): void {
  const folder = vscode.Uri.joinPath(context.extensionUri, 'dist', 'webview');
  const name = displayName(run);
  const title = vscode.l10n.t('What Changed: {0}', name);
  const panel = vscode.window.createWebviewPanel(CHANGED_PAGE, title, vscode.ViewColumn.Active, {
    enableScripts: true,
    enableForms: false,
    localResourceRoots: [folder],
    retainContextWhenHidden: true,
  });
  const of = { run: run.run, ...(point !== undefined && { point }) };
  const post = (message: ToChangedPage) => void panel.webview.postMessage(message);
  const progress = `changed ${names++}`;
  let work = new vscode.CancellationTokenSource();

  async function compute(): Promise<void> {
    work.cancel();
    const mine = (work = new vscode.CancellationTokenSource());
    post({ type: 'run', name });
    try {
      const changed = await daemon.request('lc/changed', { ...of, progress }, mine.token);
      if (!mine.token.isCancellationRequested) post({ type: 'changed', changed, tryIt });
    } catch (error) {
      if (mine === work) post({ type: 'problem', message: mine.token.isCancellationRequested ? vscode.l10n.t('It was cancelled.') : (error as Error).message });
    }
  }

  async function answer(sample: TriedSample): Promise<void> {
    try {
      post({ type: 'tried', answer: await daemon.request('lc/trySample', { ...of, sample }) });
    } catch (error) {
      post({ type: 'tryProblem', message: (error as Error).message });
    }
  }

  async function tryFile(): Promise<void> {
    const [file] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('An image for both networks'),
        defaultUri: uriOf(run.workspace),
        filters: { [vscode.l10n.t('Images')]: ['png', 'jpg', 'jpeg', 'bmp', 'webp', 'gif', 'tif', 'tiff'] },
      })) ?? [];
    if (!file) return;
    // The daemon reads files of the workspace alone.
    if (vscode.workspace.getWorkspaceFolder(file)) return answer({ kind: 'file', file: pathOf(file) });
    const bytes = await vscode.workspace.fs.readFile(file);
    if (bytes.length > MOST_BYTES)
      return post({ type: 'tryProblem', message: vscode.l10n.t('This image is larger than 1 MB: put it into the workspace folder first.') });
    const shown = vscode.workspace.asRelativePath(file).slice(-300);
    return answer({ kind: 'image', name: shown, data: Buffer.from(bytes).toString('base64') });
  }

  const listener = daemon.on('lc/progress', (told) => {
    if (told.progress === progress) post({ type: 'progress', done: told.done, total: told.total });
  });
  panel.webview.onDidReceiveMessage((message: FromChangedPage) => {
    switch (message.type) {
      case 'ready':
      case 'compute':
        void compute();
        break;
      case 'cancel':
        work.cancel();
        break;
      case 'tryFile':
        void tryFile();
        break;
      case 'tryValues':
        void answer({ kind: 'values', inputs: message.inputs });
        break;
      case 'failure':
        log.error(`Page of what changed: ${message.message}`);
        break;
    }
  });
  panel.onDidDispose(() => {
    listener.dispose();
    work.cancel();
  });
  const file = (part: string) => String(panel.webview.asWebviewUri(vscode.Uri.joinPath(folder, part)));
  panel.webview.html = pageHtml({
    cspSource: panel.webview.cspSource,
    script: file('changed.js'),
    style: file('changed.css'),
    title,
    language: vscode.env.language,
    strings: pageStrings(),
  });
} // prettier-ignore
