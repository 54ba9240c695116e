/** Outline and formatting of plans, which the editor's own JSON support does not give to another language. */
import { format, type Node } from 'jsonc-parser';
import {
  SymbolKind,
  type DocumentSymbol,
  type FormattingOptions,
  type TextEdit,
} from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';

const KINDS: Readonly<Record<string, SymbolKind>> = {
  object: SymbolKind.Object,
  array: SymbolKind.Array,
  string: SymbolKind.String,
  number: SymbolKind.Number,
  boolean: SymbolKind.Boolean,
  null: SymbolKind.Null,
};

export function symbolsOf(node: Node | undefined, document: TextDocument): DocumentSymbol[] {
  return (node?.children ?? []).flatMap((child, i) => {
    const [key, value] = child.type === 'property' ? (child.children ?? []) : [undefined, child];
    if (!value) return [];
    const place = key ?? value;
    const text = value.children ? '' : JSON.stringify(value.value);
    return {
      name: key ? String(key.value) || '""' : String(i),
      detail: text.slice(0, 100),
      kind: KINDS[value.type] ?? SymbolKind.Property,
      range: { start: document.positionAt(child.offset), end: document.positionAt(child.offset + child.length) },
      selectionRange: {
        start: document.positionAt(place.offset),
        end: document.positionAt(place.offset + place.length),
      },
      children: symbolsOf(value, document),
    };
  });
}

export function formatPlan(document: TextDocument, { tabSize, insertSpaces }: FormattingOptions): TextEdit[] {
  const edits = format(document.getText(), undefined, { tabSize, insertSpaces, eol: '\n' });
  return edits.map(({ offset, length, content }) => ({
    range: { start: document.positionAt(offset), end: document.positionAt(offset + length) },
    newText: content,
  }));
}
