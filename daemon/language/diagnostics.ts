/** Converts the findings of a plan to the editor's problems. */
import { DiagnosticSeverity, type Diagnostic, type Range } from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Finding } from './planAnalysis.js';

export const rangeOf = (document: TextDocument, offset: number, length: number): Range => ({
  start: document.positionAt(offset),
  end: document.positionAt(offset + length),
});

export const diagnosticOf = ({ code, message, offset, length }: Finding, document: TextDocument): Diagnostic => ({
  range: rangeOf(document, offset, length),
  severity: DiagnosticSeverity.Error,
  code,
  source: 'LC Prune',
  message,
});
