/** The language server of one connection: what it offers, and the wiring of requests to features. */
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  CodeActionKind,
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
  TextDocumentSyncKind,
  type ClientCapabilities,
  type CodeAction,
  type CodeLens,
  type Diagnostic,
  type DocumentSelector,
  type MessageConnection,
  type Range,
  type ServerCapabilities,
} from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { FoundData } from '../protocol/dataChoice.js';
import type { RunSummary } from '../protocol/messages.js';
import { completePlan } from './completion.js';
import { explainLayer, hoverPlan } from './hover.js';
import type { LanguageHost } from './host.js';
import { layerAt, ModelFiles, type ModelFile } from './modelFiles.js';
import { modelLenses, problemLens, readingLens } from './modelLens.js';
import { formatPlan, symbolsOf } from './outline.js';
import { codeActions } from './codeActions.js';
import { modelOfPlan, type ModelNamed } from './dataFixes.js';
import { diagnosticOf, rangeOf } from './diagnostics.js';
import { analysePlan, type PlanAnalysis } from './planAnalysis.js';
import { isPlanUri, namedBy, PlanDocuments, type OpenPlan } from './planDocuments.js';
import { planLenses } from './planLens.js';
import { fileOf, PYTHON, PythonDocuments } from './python/pythonDocuments.js';
import { pythonLenses } from './python/pythonLens.js';
import { RunFacts } from './runFacts.js';

export interface Language {
  capabilities(client: ClientCapabilities): ServerCapabilities;
  /** After `initialized`. */
  start(): void;
  /** A run of a workspace folder changed: lenses that show its result are out of date. */
  runChanged(folder: string, name: string, summary: RunSummary | null): void;
  /** Workspace Trust was granted, or is gone. */
  trustChanged(): void;
  /** Data sets were installed: plans that miss one are looked at again. */
  packagesChanged(): void;
  dispose(): void;
}

const PLANS: DocumentSelector = [{ scheme: 'file', pattern: '**/*.prune.{json,jsonc}' }];
const REFRESH_DELAY = 300;
/** How long a CodeLens request waits for a model that is read for the first time. */
const PATIENCE = 120;

/** What of a run redraws the lenses, all of them in every editor: not its progress, which the status bar and the monitor show. */
const lensKey = (summary: RunSummary | null): string => summary?.state ?? 'deleted';

class LanguageServer implements Language {
  readonly #models = new ModelFiles();
  readonly #facts: RunFacts;
  readonly #plans: PlanDocuments;
  readonly #python = new PythonDocuments();
  readonly #lensKeys = new Map<string, string>();
  #client: ClientCapabilities = {};
  #refreshing: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(
    readonly connection: MessageConnection,
    readonly host: LanguageHost,
  ) {
    this.#facts = new RunFacts(host);
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
    connection.onRequest(CodeLensRequest.type, ({ textDocument }) => this.#codeLens(textDocument.uri));
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
      // Runs write files of their own, which no plan names.
      if (changes.every(({ uri }) => uri.includes('/.lcprune/'))) return;
      for (const { uri, type } of changes) this.#plans.onDisk(uri, type !== FileChangeType.Deleted);
      this.#plans.refresh();
      this.#refreshLenses();
    });
  }

  capabilities(client: ClientCapabilities): ServerCapabilities {
    this.#client = client;
    return {
      // Only plans are sent as text, see start(); a client that cannot be told so sends every document it shows us.
      ...(client.textDocument?.synchronization?.dynamicRegistration
        ? { textDocumentSync: TextDocumentSyncKind.None }
        : { textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental } }),
      codeLensProvider: {},
      hoverProvider: true,
      completionProvider: { triggerCharacters: ['"', ':', ' '] },
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      documentLinkProvider: {},
      documentSymbolProvider: true,
      documentFormattingProvider: true,
    };
  }

  start(): void {
    const registrations = [];
    if (this.#client.textDocument?.synchronization?.dynamicRegistration) {
      // Of Python, cells of notebooks among it, only the text is asked for, and CodeLens below.
      const options = { documentSelector: [...PLANS, ...PYTHON] };
      registrations.push(
        { id: 'plan-open', method: DidOpenTextDocumentNotification.method, registerOptions: options },
        { id: 'plan-close', method: DidCloseTextDocumentNotification.method, registerOptions: options },
        {
          id: 'plan-change',
          method: DidChangeTextDocumentNotification.method,
          registerOptions: { ...options, syncKind: TextDocumentSyncKind.Incremental },
        },
      );
    }
    if (this.#client.textDocument?.codeLens?.dynamicRegistration)
      registrations.push({
        id: 'python-lens',
        method: CodeLensRequest.method,
        registerOptions: { documentSelector: PYTHON },
      });
    if (this.#client.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
      const watchers = [{ globPattern: '**/*.{json,jsonc,keras,h5,hdf5}' }];
      registrations.push({
        id: 'files',
        method: DidChangeWatchedFilesNotification.method,
        registerOptions: { watchers },
      });
    }
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

  #refreshLenses(): void {
    if (!this.#client.workspace?.codeLens?.refreshSupport || this.#disposed) return;
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined;
      this.connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined);
    }, REFRESH_DELAY);
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
      architectureLayers: (name) => this.#models.architectureLayers(name),
    });
  }

  async #withPlan<T>(uri: string, otherwise: T, use: (plan: OpenPlan, analysis: PlanAnalysis) => T): Promise<T> {
    const plan = this.#plans.get(uri);
    return plan ? use(plan, await plan.analysis) : otherwise;
  }

  async #codeLens(uri: string): Promise<CodeLens[]> {
    const python = this.#python.get(uri);
    if (python) return this.#pythonLenses(python);
    const place = await this.#contain(uri);
    if (!place) return [];
    const { folder, path } = place;
    const named = namedBy(uri);
    if (isPlanUri(uri)) {
      const runs = await this.#facts.ofPlan(folder, path);
      return planLenses(
        named,
        runs.map((run) => ({ ...run, folder: this.host.workspace.asNamed(run.folder) })),
      );
    }
    const model = await this.#openSoon(path);
    if (model === 'reading') return readingLens(named);
    if (!model) return problemLens(named, await this.#models.problemOf(path));
    const [zeros, kept] = await Promise.all([this.#zerosSoon(path, folder), this.#facts.keptOf(folder, path)]);
    return modelLenses(model, named, zeros, kept);
  }

  /** None in Restricted Mode: there is nothing that they could start. */
  async #pythonLenses(document: TextDocument): Promise<CodeLens[]> {
    const { workspace } = this.host;
    if (!workspace.trusted) return [];
    const place = await workspace.contain(fileOf(document.uri)).catch(() => null);
    return place ? pythonLenses(document, { ...place, asNamed: (path) => workspace.asNamed(path) }) : [];
  }

  /** The model, or 'reading' when that takes longer than an editor should wait: the lenses are drawn again then. */
  async #openSoon(path: string): Promise<ModelFile | null | 'reading'> {
    const opening = this.#models.open(path);
    if (!this.#client.workspace?.codeLens?.refreshSupport) return opening;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'reading'>((resolve) => (timer = setTimeout(() => resolve('reading'), PATIENCE)));
    const first = await Promise.race([opening, patience]);
    clearTimeout(timer);
    if (first === 'reading') void opening.then(() => this.#refreshLenses());
    return first;
  }

  /** The zeros when they are known; else counts them and has the lenses drawn again. */
  async #zerosSoon(path: string, folder: string): Promise<number | null> {
    const known = await this.#models.knownZeros(path);
    if (known !== undefined) return known;
    void this.#models.countZeros(path, folder).then((zeros) => {
      if (zeros !== null) this.#refreshLenses();
    });
    return null;
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
    // Typed on meanwhile: the next quiet moment publishes.
    if (this.#disposed || document.version !== version) return;
    this.#send(
      document.uri,
      findings.map((finding) => diagnosticOf(finding, document)),
      version,
    );
    // Looked for now: who then asks for quick fixes does not wait, and an editor that waits gives up at the next key.
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

  /** Data that fits a plan's model; null where that cannot be said. */
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
