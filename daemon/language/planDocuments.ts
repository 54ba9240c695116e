/** Open plans: their text as in the editor, and its analysis, done once per version. */
import { fileURLToPath } from 'node:url';
import type {
  DidChangeTextDocumentParams,
  DidCloseTextDocumentParams,
  DidOpenTextDocumentParams,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { AbsolutePath } from '../protocol/paths.js';
import type { PlanAnalysis } from './planAnalysis.js';
import { LIMITS } from './limits.js';

export interface OpenPlan {
  readonly document: TextDocument;
  readonly analysis: Promise<PlanAnalysis>;
}

/** Quiet time after the last key before problems are shown. */
const DEBOUNCE = 250;

export class PlanDocuments {
  readonly #documents = new Map<string, TextDocument>();
  readonly #analyses = new WeakMap<TextDocument, { version: number; stamp: number; analysis: Promise<PlanAnalysis> }>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Deleted on disk, though an editor may still show them: they have no problems any more. */
  readonly #deleted = new Set<string>();
  #stamp = 0;

  constructor(
    readonly analyse: (document: TextDocument) => Promise<PlanAnalysis>,
    readonly onQuiet: (document: TextDocument) => void,
    readonly onClose: (uri: string) => void,
  ) {}

  opened({ textDocument: { uri, languageId, version, text } }: DidOpenTextDocumentParams): void {
    if (!isPlanUri(uri) || text.length > LIMITS.planText || this.#documents.size >= LIMITS.openPlans) return;
    this.#documents.set(uri, TextDocument.create(uri, languageId, version, text));
    this.#soon(uri, 0);
  }

  changed({ textDocument: { uri, version }, contentChanges }: DidChangeTextDocumentParams): void {
    const document = this.#documents.get(uri);
    if (!document) return;
    TextDocument.update(document, contentChanges, version);
    if (document.getText().length > LIMITS.planText) this.#close(uri);
    else if (!this.#deleted.has(uri)) this.#soon(uri, DEBOUNCE);
  }

  closed({ textDocument: { uri } }: DidCloseTextDocumentParams): void {
    this.#close(uri);
  }

  get(uri: string): OpenPlan | null {
    const document = this.#documents.get(uri);
    if (!document) return null;
    const known = this.#analyses.get(document);
    if (known?.version === document.version && known.stamp === this.#stamp)
      return { document, analysis: known.analysis };
    const analysis = this.analyse(document);
    this.#analyses.set(document, { version: document.version, stamp: this.#stamp, analysis });
    return { document, analysis };
  }

  /** A plan's file was deleted or created. */
  onDisk(uri: string, exists: boolean): void {
    if (exists) this.#deleted.delete(uri);
    else if (this.#documents.has(uri)) {
      this.#deleted.add(uri);
      clearTimeout(this.#timers.get(uri));
      this.onClose(uri);
    }
  }

  /** Files that plans name have changed: all plans are analysed again. */
  refresh(): void {
    this.#stamp++;
    for (const uri of this.#documents.keys()) if (!this.#deleted.has(uri)) this.#soon(uri, 0);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#documents.clear();
  }

  #soon(uri: string, delay: number): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.set(
      uri,
      setTimeout(() => {
        this.#timers.delete(uri);
        const document = this.#documents.get(uri);
        if (document) this.onQuiet(document);
      }, delay),
    );
  }

  #close(uri: string): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.delete(uri);
    this.#deleted.delete(uri);
    if (this.#documents.delete(uri)) this.onClose(uri);
  }
}

export const isPlanUri = (uri: string): boolean => /\.prune\.jsonc?$/i.test(uri);

/** The client's own name of a file. */
export const namedBy = (uri: string): AbsolutePath => fileURLToPath(uri) as AbsolutePath;
