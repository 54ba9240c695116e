/** The language server of one connection: its capabilities, and the handlers of its requests. */
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  CodeActionRequest,
  CodeLensRefreshRequest,
  CodeLensRequest,
  CompletionRequest,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentFormattingRequest,
  DocumentLinkRequest,
  DocumentSymbolRequest,
  FileChangeType,
  HoverRequest,
  PublishDiagnosticsNotification,
  RegistrationRequest,
  type ClientCapabilities,
  type CodeAction,
  type Diagnostic,
  type MessageConnection,
  type Range,
  type ServerCapabilities,
} from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { FoundData } from '../protocol/dataChoice.js';
import type { RunSummary } from '../protocol/messages.js';
import { capabilitiesOf, registrationsOf } from './capabilities.js';
import { completePlan } from './completion.js';
import { explainLayer, hoverPlan } from './hover.js';
import type { LanguageHost } from './host.js';
import { Lenses } from './lenses.js';
import { architectureLayers, layerAt, ModelFiles } from './modelFiles.js';
import { formatPlan, symbolsOf } from './outline.js';
import { codeActions } from './codeActions.js';
import { modelOfPlan, type ModelNamed } from './dataFixes.js';
import { diagnosticOf, rangeOf } from './diagnostics.js';
import { analysePlan, type PlanAnalysis } from './planAnalysis.js';
import { isPlanUri, PlanDocuments, type OpenPlan } from './planDocuments.js';
import { PythonDocuments } from './python/pythonDocuments.js';
import { RunFacts } from './runFacts.js';
import { LIMITS } from './limits.js';

export interface Language {
  capabilities(client: ClientCapabilities): ServerCapabilities;
  /** After `initialized`. */
  start(): void;
  /** A run of a workspace folder changed: lenses that show its result must be redrawn. */
  runChanged(folder: string, name: string, summary: RunSummary | null): void;
  /** Workspace Trust was granted or revoked. */
  trustChanged(): void;
  /** Data sets were installed: plans that miss one are analysed again. */
  packagesChanged(): void;
  dispose(): void;
}

/** What of a run redraws the lenses, all of them in every editor: not its progress, which the status bar and the monitor show. */
const lensKey = (summary: RunSummary | null): string => summary?.state ?? 'deleted';

class LanguageServer implements Language {
  readonly #models: ModelFiles;
  readonly #facts: RunFacts;
  readonly #plans: PlanDocuments;
  readonly #python = new PythonDocuments();
  readonly #lenses: Lenses;
  readonly #lensKeys = new Map<string, string>();
  #client: ClientCapabilities = {};
  #refreshing: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(
    readonly connection: MessageConnection,
    readonly host: LanguageHost,
  ) {
    this.#models = new ModelFiles((path, folder) => host.layersOf(path, folder));
    this.#facts = new RunFacts(host);
    this.#lenses = new Lenses({
      host,
      models: this.#models,
      facts: this.#facts,
      python: this.#python,
      contain: (uri) => this.#contain(uri),
      canRedraw: () => this.#canRedraw,
      redraw: () => this.#refreshLenses(),
    });
    this.#plans = new PlanDocuments(
      (document) => this.#analyse(document),
      (document) => void this.#publish(document),
      (uri) => this.#send(uri, []),
    );
    const kinds = [this.#plans, this.#python];
    connection.onNotification(DidOpenTextDocumentNotification.type, (params) =>
      kinds.forEach((kind) => kind.opened(params)),
    );
    connection.onNotification(DidChangeTextDocumentNotification.type, (params) =>
      kinds.forEach((kind) => kind.changed(params)),
    );
    connection.onNotification(DidCloseTextDocumentNotification.type, (params) =>
      kinds.forEach((kind) => kind.closed(params)),
    );
    connection.onRequest(CodeLensRequest.type, ({ textDocument }) => this.#lenses.of(textDocument.uri));
    connection.onRequest(HoverRequest.type, ({ textDocument, position }) => this.#hover(textDocument.uri, position));
    connection.onRequest(CompletionRequest.type, ({ textDocument, position }) =>
      this.#completion(textDocument.uri, position),
    );
    connection.onRequest(CodeActionRequest.type, ({ textDocument, range }) =>
      this.#codeActions(textDocument.uri, range),
    );
    connection.onRequest(DocumentLinkRequest.type, ({ textDocument }) =>
      this.#withPlan(textDocument.uri, [], ({ document }, { model, data }) =>
        [...(model ? [model] : []), ...data]
          .filter((file) => file.exists)
          .map((file) => ({
            // Inside the quotes.
            range: rangeOf(document, file.offset + 1, file.length - 2),
            target: pathToFileURL(this.host.workspace.asNamed(file.path)).href,
          })),
      ),
    );
    connection.onRequest(DocumentSymbolRequest.type, ({ textDocument }) =>
      this.#withPlan(textDocument.uri, [], ({ document }, { tree }) => symbolsOf(tree, document)),
    );
    connection.onRequest(DocumentFormattingRequest.type, ({ textDocument, options }) =>
      this.#withPlan(textDocument.uri, [], ({ document }) => formatPlan(document, options)),
    );
    connection.onNotification(DidChangeWatchedFilesNotification.type, ({ changes }) => {
      // Files that runs write are named by no plan.
      if (changes.every(({ uri }) => uri.includes('/.lcprune/'))) return;
      for (const { uri, type } of changes) this.#plans.onDisk(uri, type !== FileChangeType.Deleted);
      this.#plans.refresh();
      this.#refreshLenses();
    });
  }

  capabilities(client: ClientCapabilities): ServerCapabilities {
    this.#client = client;
    return capabilitiesOf(client);
  }

  start(): void {
    const registrations = registrationsOf(this.#client);
    if (registrations.length === 0) return;
    this.connection.sendRequest(RegistrationRequest.type, { registrations }).catch((error: unknown) => {
      if (!this.#disposed) this.host.log('warn', `the client did not register: ${String(error)}`);
    });
  }

  runChanged(folder: string, name: string, summary: RunSummary | null): void {
    this.#facts.forget(folder);
    const run = `${folder}\0${name}`;
    const key = lensKey(summary);
    if (this.#lensKeys.get(run) === key) return;
    this.#lensKeys.set(run, key);
    this.#refreshLenses();
  }

  trustChanged(): void {
    if (this.#python.any) this.#refreshLenses();
  }

  packagesChanged(): void {
    this.#plans.refresh();
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#refreshing);
    this.#plans.dispose();
  }

  get #canRedraw(): boolean {
    return this.#client.workspace?.codeLens?.refreshSupport === true;
  }

  #refreshLenses(): void {
    if (!this.#canRedraw || this.#disposed) return;
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined;
      this.connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined);
    }, LIMITS.refreshDelay);
  }

  /** The file behind a URI when it lies in the workspace, or null. */
  async #contain(uri: string): Promise<{ folder: string; path: string } | null> {
    try {
      return await this.host.workspace.contain(fileURLToPath(uri));
    } catch {
      return null;
    }
  }

  async #analyse(document: TextDocument): Promise<PlanAnalysis> {
    const place = await this.#contain(document.uri);
    if (!place) return { tree: undefined, findings: [], model: null, data: [], layers: null, resolved: null };
    return analysePlan(document.getText(), {
      ...place,
      layersOf: (path) => this.#models.layersOf(path, place.folder),
      architectureLayers,
    });
  }

  async #withPlan<T>(uri: string, otherwise: T, use: (plan: OpenPlan, analysis: PlanAnalysis) => T): Promise<T> {
    const plan = this.#plans.get(uri);
    return plan ? use(plan, await plan.analysis) : otherwise;
  }

  async #hover(uri: string, position: { line: number; character: number }) {
    if (isPlanUri(uri)) {
      return this.#withPlan(uri, null, ({ document }, { tree, layers }) => {
        const found = hoverPlan(tree, document.offsetAt(position), layers);
        if (!found) return null;
        return {
          contents: { kind: 'markdown' as const, value: found.markdown },
          range: rangeOf(document, found.offset, found.length),
        };
      });
    }
    const place = await this.#contain(uri);
    const model = place && (await this.#models.open(place.path));
    if (!place || !model) return null;
    const name = layerAt(model, position);
    const layer = model.layers.find((candidate) => candidate.name === name);
    if (!layer) return null;
    const total = model.layers.reduce((sum, { prunable }) => sum + prunable, 0);
    const kept = (await this.#facts.keptOf(place.folder, place.path))?.find((each) => each.layer === layer.name);
    return { contents: { kind: 'markdown' as const, value: explainLayer(layer, total, kept ?? null) } };
  }

  async #completion(uri: string, position: { line: number; character: number }) {
    const place = await this.#contain(uri);
    const plan = this.#plans.get(uri);
    if (!place || !plan) return [];
    const { document } = plan;
    const { layers } = await plan.analysis;
    return completePlan(document.getText(), document.offsetAt(position), {
      path: place.path,
      layers,
      range: (offset, length) => rangeOf(document, offset, length),
    });
  }

  async #publish(document: TextDocument): Promise<void> {
    const plan = this.#plans.get(document.uri);
    if (!plan) return;
    const { version } = document;
    const analysis = await plan.analysis;
    const { findings } = analysis;
    // The text changed meanwhile: problems are published after the next pause.
    if (this.#disposed || document.version !== version) return;
    this.#send(
      document.uri,
      findings.map((finding) => diagnosticOf(finding, document)),
      version,
    );
    // Searched for now, so that a request for quick fixes need not wait: an editor drops a slow one at the next key press.
    const model = findings.some(({ wantsData }) => wantsData) ? modelOfPlan(analysis) : null;
    if (model !== null) void this.#searchData(document.uri, model);
  }

  #send(uri: string, diagnostics: Diagnostic[], version?: number): void {
    if (this.#disposed) return;
    void this.connection.sendNotification(PublishDiagnosticsNotification.type, {
      uri,
      diagnostics,
      ...(version === undefined ? {} : { version }),
    });
  }

  async #codeActions(uri: string, range: Range): Promise<CodeAction[]> {
    const plan = this.#plans.get(uri);
    if (!plan) return [];
    return codeActions(plan.document, await plan.analysis, range, (model) => this.#searchData(uri, model));
  }

  /** Data that fits a plan's model; null if no search is possible. */
  async #searchData(uri: string, model: ModelNamed): Promise<FoundData | null> {
    const place = await this.#contain(uri);
    if (!place) return null;
    return this.host
      .searchData(model, { workspace: place.folder, planFolder: dirname(place.path) })
      .catch((error: unknown) => {
        this.host.log('warn', `data for a plan: ${String(error)}`);
        return null;
      });
  }
}

export function registerLanguage(connection: MessageConnection, host: LanguageHost): Language {
  return new LanguageServer(connection, host);
}
