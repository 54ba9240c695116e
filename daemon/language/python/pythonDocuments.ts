/** Open Python files and notebook cells: their text as in the editor. */
import { fileURLToPath } from 'node:url';
import type {
  DidChangeTextDocumentParams,
  DidCloseTextDocumentParams,
  DidOpenTextDocumentParams,
  DocumentSelector,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LIMITS } from '../limits.js';

/** For CodeLens only: other extensions give hovers, symbols and the rest for Python. */
export const PYTHON: DocumentSelector = [
  { scheme: 'file', language: 'python' },
  { scheme: 'vscode-notebook-cell', language: 'python' },
];

/** The file of a document: of a cell, its notebook. @throws TypeError for what is no file. */
export const fileOf = (uri: string): string =>
  fileURLToPath(uri.replace(/^vscode-notebook-cell:(\/\/[^/]*)?/, 'file://').replace(/[#?].*$/, ''));

export class PythonDocuments {
  readonly #open = new Map<string, TextDocument>();

  get(uri: string): TextDocument | undefined {
    return this.#open.get(uri);
  }

  /** Whether any is open: then new files can change their lenses. */
  get any(): boolean {
    return this.#open.size > 0;
  }

  opened({ textDocument: { uri, languageId, version, text } }: DidOpenTextDocumentParams): void {
    if (languageId !== 'python' || text.length > LIMITS.scriptText || this.#open.size >= LIMITS.openScripts) return;
    this.#open.set(uri, TextDocument.create(uri, languageId, version, text));
  }

  changed({ textDocument: { uri, version }, contentChanges }: DidChangeTextDocumentParams): void {
    const document = this.#open.get(uri);
    if (!document) return;
    TextDocument.update(document, contentChanges, version);
    if (document.getText().length > LIMITS.scriptText) this.#open.delete(uri);
  }

  closed({ textDocument: { uri } }: DidCloseTextDocumentParams): void {
    this.#open.delete(uri);
  }
}
