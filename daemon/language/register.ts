/** The language server of one connection: what it offers, and the wiring of requests to features. */
import type { ClientCapabilities, MessageConnection, ServerCapabilities } from 'vscode-languageserver-protocol/node';
import type { RunSummary } from '../protocol/messages.js';
import type { LanguageHost } from './host.js';

export interface Language {
  capabilities(client: ClientCapabilities): ServerCapabilities;
  /** After `initialized`. */
  start(): void;
  /** A run of a workspace folder changed: lenses that show its result are out of date. */
  runChanged(folder: string, summary: RunSummary | null): void;
  dispose(): void;
}

export function registerLanguage(_connection: MessageConnection, _host: LanguageHost): Language {
  return { capabilities: () => ({}), start: () => {}, runChanged: () => {}, dispose: () => {} };
}
