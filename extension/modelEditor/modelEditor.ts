import { open } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { ModelSummary } from '../../daemon/protocol/messages.js';
import type { FromModelPage, ModelAction, ToModelPage } from '../../webview/messages/model.js';
import { setContext } from '../contexts.js';
import type { Daemon } from '../daemon/daemon.js';
import { CONTEXTS, MODEL_EDITOR, type CommandName } from '../ids.js';
import { KeptShares } from '../keptShares.js';
import { displayName } from '../monitor/runView.js';
import { pageOptions, showBuiltPage } from '../page/builtPage.js';
import { folderOf, pathOf, uriOf, type AbsolutePath } from '../paths.js';
import type { Runs } from '../runs.js';
import type { RunStream } from '../runStream.js';

const COMMANDS: Record<ModelAction, CommandName> = {
  prune: 'lcPrune.pruneModel',
  inspect: 'lcPrune.inspectModel',
  budget: 'lcPrune.setBudget',
  exclude: 'lcPrune.excludeLayer',
};

/** Extensions that other text files have too, such as page templates (.pt): those are opened as text. */
const AMBIGUOUS = /\.pth?$/i;

async function isText(path: string): Promise<boolean> {
  if (!AMBIGUOUS.test(path)) return false;
  const file = await open(path, 'r').catch(() => null);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return bytesRead > 0 && !buffer.subarray(0, bytesRead).some((byte) => byte < 9 || byte === 0x80);
  } finally {
    await file.close();
  }
}

/**
 * Shows Keras and ONNX files (.h5, .keras, .onnx), which are no text, as the table of their layers; of model files of another kind
 * (.pt, ...), what they are and what leads here. Never writes.
 */
export class ModelEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly daemon: Daemon,
    private readonly runs: Runs,
    private readonly stream: RunStream,
  ) {}

  register(): vscode.Disposable {
    return vscode.window.registerCustomEditorProvider(MODEL_EDITOR, this, { supportsMultipleEditorsPerDocument: true });
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => {} };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    panel.webview.options = pageOptions(this.extensionUri);
    const asText = async () => {
      await vscode.commands.executeCommand('vscode.openWith', uri, 'default', panel.viewColumn);
      panel.dispose();
    };
    const view = new OpenModel(pathOf(uri), panel.webview, this.daemon, this.runs, this.stream, asText);
    panel.onDidDispose(() => view.dispose());
    showBuiltPage(panel.webview, this.extensionUri, 'model', vscode.workspace.asRelativePath(uri));
  }
}

/** One open file. It is read when its page is ready and again when it changes, and shown with what the latest run keeps of it. */
class OpenModel implements vscode.Disposable {
  #disposables: vscode.Disposable[];
  #kept: KeptShares;
  #model: ModelSummary | null = null;
  #turn = 0;

  constructor(
    private readonly path: AbsolutePath,
    private readonly webview: vscode.Webview,
    private readonly daemon: Daemon,
    private readonly runs: Runs,
    stream: RunStream,
    private readonly asText: () => Promise<void>,
  ) {
    this.#kept = new KeptShares(daemon, runs, stream, path);
    const changed = (uri: vscode.Uri) => {
      if (pathOf(uri) === path) void this.#load();
    };
    // A program that replaces the file makes a new one.
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(uriOf(folderOf(path)), '*'));
    this.#disposables = [
      watcher,
      watcher.onDidChange(changed),
      watcher.onDidCreate(changed),
      webview.onDidReceiveMessage((message: FromModelPage) => this.#receive(message)),
      runs.onDidReset(() => void this.#load()),
      this.#kept,
      this.#kept.onDidChange(() => this.#post()),
    ];
  }

  dispose(): void {
    this.#turn++;
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #receive(message: FromModelPage): void {
    switch (message.type) {
      case 'ready':
        // Not before: disposing a panel while its page loads leaves the editor's next panel blank.
        void isText(this.path).then((text) => (text ? this.asText() : this.#load()));
        break;
      case 'action':
        if (Object.hasOwn(COMMANDS, message.action))
          void vscode.commands.executeCommand(COMMANDS[message.action], {
            model: this.path,
            ...(message.layer !== null && { layer: message.layer }),
          });
        break;
      case 'log':
        this.daemon.log.show();
        break;
      case 'failure':
        this.daemon.log.error(`Model page: ${message.message}`);
        break;
    }
  }

  async #load(): Promise<void> {
    const turn = ++this.#turn;
    let problem: string | null = null;
    let model: ModelSummary | null = null;
    try {
      model = await this.daemon.request('lc/inspect', { model: this.path });
    } catch (error) {
      problem = (error as Error).message;
    }
    if (turn !== this.#turn) return;
    this.#model = model;
    if (model) setContext(CONTEXTS.hasModel, true);
    if (problem === null) this.#post();
    else void this.webview.postMessage({ type: 'problem', message: problem } satisfies ToModelPage);
  }

  #post(): void {
    if (!this.#model) return;
    const { run, layers } = this.#kept;
    const message: ToModelPage = { type: 'model', model: this.#model, run: run && displayName(run), kept: layers };
    void this.webview.postMessage(message);
  }
}
