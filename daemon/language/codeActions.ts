/** Quick fixes: edits that correct a finding with one click. */
import { CodeActionKind, type CodeAction, type Range } from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { FoundData } from '../protocol/dataChoice.js';
import { dataFixes, type ModelNamed } from './dataFixes.js';
import { diagnosticOf, rangeOf } from './diagnostics.js';
import type { Finding, PlanAnalysis } from './planAnalysis.js';
import { namedBy } from './planDocuments.js';
import { command } from './planLens.js';

/**
 * Quick fixes of the findings that a range touches; for missing data, data that fits the plan's model.
 * @param search null if no search is possible.
 */
export async function codeActions(
  document: TextDocument,
  analysis: PlanAnalysis,
  range: Range,
  search: (model: ModelNamed) => Promise<FoundData | null>,
): Promise<CodeAction[]> {
  const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const actions: CodeAction[] = [];
  for (const finding of analysis.findings) {
    if (finding.offset > to || finding.offset + finding.length < from) continue;
    const data = finding.wantsData ? await dataFixes(analysis, search) : [];
    const offered = new Set(data.map(({ text }) => text));
    const others = finding.fixes.filter(({ text }) => !offered.has(text));
    actions.push(...fixesOf({ ...finding, fixes: [...data, ...others] }, document));
    if (finding.wantsData && analysis.model?.exists) actions.push(chooseData(finding, document));
  }
  return actions;
}

/** The candidates with samples to look at, and any other file. */
const chooseData = (finding: Finding, document: TextDocument): CodeAction => ({
  title: 'Choose data...',
  kind: CodeActionKind.QuickFix,
  diagnostics: [diagnosticOf(finding, document)],
  command: command('Choose data', 'lcPrune.chooseData', { plan: namedBy(document.uri) }),
});

function fixesOf(finding: Finding, document: TextDocument): CodeAction[] {
  const diagnostics = [diagnosticOf(finding, document)];
  if (finding.packages)
    return [
      {
        title: `Install ${finding.packages.join(' and ')}`,
        kind: CodeActionKind.QuickFix,
        diagnostics,
        isPreferred: true,
        command: command('Install', 'lcPrune.installData', { plan: namedBy(document.uri) }),
      },
    ];
  return finding.fixes.map((fix, i) => ({
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics,
    isPreferred: i === 0,
    edit: { changes: { [document.uri]: [{ range: rangeOf(document, fix.offset, fix.length), newText: fix.text }] } },
  }));
}
