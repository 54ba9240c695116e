import * as vscode from 'vscode';
import type { ToHost, ToPage } from '../../webview/messages/monitor.js';
import { MONITOR } from '../ids.js';
import { pageOptions, showBuiltPage } from '../page/builtPage.js';

/** The monitor's panel in the editor, and whether its page can take messages. There is one at most. */
export class MonitorPanel {
  #panel: vscode.WebviewPanel | null = null;
  #isReady = false;
  /** The page has news that it has not drawn yet. */
  #isDrawing = false;

  /** @param closed by the user, or by `close`. */
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly receive: (message: ToHost) => void,
    private readonly closed: () => void,
  ) {}

  get isOpen(): boolean {
    return this.#panel !== null;
  }

  /** The page has reported that it is ready, and has not been hidden since. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Whether the page has drawn the news before. A page that draws more slowly than the runs train gets fewer and longer messages: the editor would
   * queue them all, and the page would show what was long ago.
   */
  get takesNews(): boolean {
    return this.#isReady && !this.#isDrawing;
  }

  /** Ends the news that were posted: the page takes the next ones when it has drawn these. */
  endNews(): void {
    this.#isDrawing = this.#isReady;
    this.post({ type: 'flushed' });
  }

  /** Shows it in front, or opens it. @returns whether it was open. */
  reveal(preserveFocus: boolean): boolean {
    if (this.#panel) {
      this.#panel.reveal(undefined, preserveFocus);
      return true;
    }
    this.adopt(
      vscode.window.createWebviewPanel(
        MONITOR,
        vscode.l10n.t('LC Prune Monitor'),
        { viewColumn: vscode.ViewColumn.Active, preserveFocus },
        pageOptions(this.extensionUri),
      ),
    );
    return false;
  }

  /** A panel that exists: new, or restored by the window after a reload. */
  adopt(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#isReady = false;
    panel.webview.options = pageOptions(this.extensionUri);
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'monitor.svg');
    panel.onDidDispose(() => {
      this.forget();
      this.closed();
    });
    panel.onDidChangeViewState(() => {
      // VS Code discards a hidden page; the next one reports that it is ready.
      if (!panel.visible) this.#isReady = false;
    });
    panel.webview.onDidReceiveMessage((message: ToHost) => {
      if (message.type === 'ready') this.#isReady = true;
      // A new page has drawn nothing, and owes nothing.
      if (message.type === 'ready' || message.type === 'drawn') this.#isDrawing = false;
      this.receive(message);
    });
    showBuiltPage(panel.webview, this.extensionUri, 'monitor', vscode.l10n.t('LC Prune Monitor'));
  }

  set title(title: string) {
    if (this.#panel && this.#panel.title !== title) this.#panel.title = title;
  }

  /** Dropped if the page is not ready: a page that becomes ready is sent everything. */
  post(message: ToPage): void {
    if (this.#isReady) void this.#panel?.webview.postMessage(message);
  }

  close(): void {
    this.#panel?.dispose();
  }

  /** Leaves the panel open: the window restores it after a reload. */
  forget(): void {
    this.#panel = null;
    this.#isReady = false;
  }
}
