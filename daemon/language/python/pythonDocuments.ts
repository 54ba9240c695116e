/** Python files and cells of notebooks that are open: their text as the editor has it. */
import { fileURLToPath } from 'node:url';
import type {
  DidChangeTextDocumentParams,
  DidCloseTextDocumentParams,
  DidOpenTextDocumentParams,
  DocumentSelector,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LIMITS } from '../limits.js';

/** Of CodeLens alone: hovers, symbols and the rest of Python are others' work. */
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

  /** Whether there is one: then files that appear matter to it. */
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
