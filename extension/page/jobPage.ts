import * as vscode from 'vscode';
import type { Services } from '../services.js';
import { pageOptions, showBuiltPage } from './builtPage.js';

let jobs = 0;

/** A page of a long computation. Closing it cancels the computation. */
export interface JobPage<Message> {
  post(message: Message): void;
  /** Cancels the computation before, and starts a new one. An error or a cancellation is shown as a problem on the page. */
  compute<T>(
    ask: (progress: string, token: vscode.CancellationToken) => Promise<T>,
    show: (result: T) => void,
  ): Promise<void>;
  cancel(): void;
}

/** Messages that every such page receives. */
type JobMessage = { type: 'progress'; done: number; total: number } | { type: 'problem'; message: string };

/** Messages that every such page sends besides its own. */
type FromJobPage = 'failure' | 'ready' | 'compute' | 'cancel';
type Own<From extends { type: string }> = Exclude<From, { type: FromJobPage }>;

/**
 * @param page name of the built page. @param compute is called when the page is ready, and when it asks for it again. @param receive handles the
 * page's own messages; errors of its script go to the log.
 */
export function openJobPage<Message, From extends { type: string }>(
  { context, daemon, log }: Pick<Services, 'context' | 'daemon' | 'log'>,
  { viewType, title, page }: { readonly viewType: string; readonly title: string; readonly page: string },
  compute: (own: JobPage<Message | JobMessage>) => Promise<void>,
  receive: (message: Own<From>, own: JobPage<Message | JobMessage>) => void,
): void {
  const panel = vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, {
    ...pageOptions(context.extensionUri),
    retainContextWhenHidden: true,
  });
  const name = `${page} ${jobs++}`;
  let work = new vscode.CancellationTokenSource();
  const own: JobPage<Message | JobMessage> = {
    post: (message) => void panel.webview.postMessage(message),
    async compute(ask, show) {
      work.cancel();
      const mine = (work = new vscode.CancellationTokenSource());
      try {
        const result = await ask(name, mine.token);
        if (!mine.token.isCancellationRequested) show(result);
      } catch (error) {
        const message = mine.token.isCancellationRequested
          ? vscode.l10n.t('It was cancelled.')
          : (error as Error).message;
        if (mine === work) own.post({ type: 'problem', message });
      }
    },
    cancel: () => work.cancel(),
  };
  const listener = daemon.on('lc/progress', ({ progress, done, total }) => {
    if (progress === name) own.post({ type: 'progress', done, total });
  });
  panel.webview.onDidReceiveMessage((message: From) => {
    if (message.type === 'failure') log.error(`Page "${page}": ${(message as unknown as { message: string }).message}`);
    else if (message.type === 'ready' || message.type === 'compute') void compute(own);
    else if (message.type === 'cancel') own.cancel();
    else receive(message as Own<From>, own);
  });
  panel.onDidDispose(() => {
    listener.dispose();
    work.cancel();
  });
  showBuiltPage(panel.webview, context.extensionUri, page, title);
}
