/** The language server's capabilities, and what it registers with clients that support registration. */
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
    // Only plans are sent as text, see registrationsOf; a client without dynamic registration sends every document that it opens.
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

/** Registered after `initialized`, with a client that supports it. */
export function registrationsOf(client: ClientCapabilities): Registration[] {
  const registrations: Registration[] = [];
  if (client.textDocument?.synchronization?.dynamicRegistration) {
    // For Python, cells of notebooks included, only the text is requested, and CodeLens below.
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
