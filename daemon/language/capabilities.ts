/** What the language server can do, and what it asks a client for when that may be registered later. */
import {
  CodeActionKind,
  CodeLensRequest,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  TextDocumentSyncKind,
  type ClientCapabilities,
  type DocumentSelector,
  type Registration,
  type ServerCapabilities,
} from 'vscode-languageserver-protocol/node';
import { PYTHON } from './python/pythonDocuments.js';

const PLANS: DocumentSelector = [{ scheme: 'file', pattern: '**/*.prune.{json,jsonc}' }];

export function capabilitiesOf(client: ClientCapabilities): ServerCapabilities {
  return {
    // Only plans are sent as text, see registrationsOf; a client without dynamic registration sends every document that it shows us.
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

/** What is registered after `initialized`, with a client that can do so. */
export function registrationsOf(client: ClientCapabilities): Registration[] {
  const registrations: Registration[] = [];
  if (client.textDocument?.synchronization?.dynamicRegistration) {
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
  if (client.textDocument?.codeLens?.dynamicRegistration)
    registrations.push({
      id: 'python-lens',
      method: CodeLensRequest.method,
      registerOptions: { documentSelector: PYTHON },
    });
  if (client.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
    const watchers = [{ globPattern: '**/*.{json,jsonc,keras,h5,hdf5,onnx}' }];
    registrations.push({
      id: 'files',
      method: DidChangeWatchedFilesNotification.method,
      registerOptions: { watchers },
    });
  }
  return registrations;
}
