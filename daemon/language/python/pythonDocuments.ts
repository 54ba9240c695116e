/** Open Python files and notebook cells: their text as in the editor. */
import { fileURLToPath } from 'node:url';
import type {
  DidChangeTextDocumentParams,
  DidCloseTextDocumentParams,
  DidOpenTextDocumentParams,
  DocumentSelector,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

/** For CodeLens only: other extensions give hovers, symbols and the rest for Python. */
export const PYTHON: DocumentSelector = [
  { scheme: 'file', language: 'python' },
  { scheme: 'vscode-notebook-cell', language: 'python' },
];

const MAX_OPEN = 500;
const MAX_TEXT = 1 << 20;

/** The file of a document; for a cell, its notebook. @throws TypeError if it is not a file. */
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
