/** Python files and cells of notebooks that are open: their text as the editor has it. */
import { fileURLToPath } from 'node:url';
import type {
  DidChangeTextDocumentParams,
  DidCloseTextDocumentParams,
  DidOpenTextDocumentParams,
  DocumentSelector,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

/** Of CodeLens alone: hovers, symbols and the rest of Python are others' work. */
export const PYTHON: DocumentSelector = [
  { scheme: 'file', language: 'python' },
  { scheme: 'vscode-notebook-cell', language: 'python' },
];

const MAX_OPEN = 500;
const MAX_TEXT = 1 << 20;

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
    if (languageId !== 'python' || text.length > MAX_TEXT || this.#open.size >= MAX_OPEN) return;
    this.#open.set(uri, TextDocument.create(uri, languageId, version, text));
  }

  changed({ textDocument: { uri, version }, contentChanges }: DidChangeTextDocumentParams): void {
    const document = this.#open.get(uri);
    if (!document) return;
    TextDocument.update(document, contentChanges, version);
    if (document.getText().length > MAX_TEXT) this.#open.delete(uri);
  }

  closed({ textDocument: { uri } }: DidCloseTextDocumentParams): void {
    this.#open.delete(uri);
  }
}
