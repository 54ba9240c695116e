/** Changes the text of a plan in its editor, so that undo works; does not save it. */
import * as vscode from 'vscode';
import { uriOf, type AbsolutePath } from '../paths.js';

/** @param shown how the plan is shown afterwards. @throws Error if the editor rejects the change. */
export async function editPlan(
  planPath: AbsolutePath,
  change: (text: string) => string,
  shown: vscode.TextDocumentShowOptions = {},
): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uriOf(planPath));
  const text = document.getText();
  const changed = change(text);
  const end = document.positionAt(text.length);
  const edits = new vscode.WorkspaceEdit();
  edits.replace(document.uri, new vscode.Range(new vscode.Position(0, 0), end), changed);
  if (!(await vscode.workspace.applyEdit(edits)))
    throw new Error(vscode.l10n.t('{0} could not be changed.', vscode.workspace.asRelativePath(planPath)));
  await vscode.window.showTextDocument(document, { preview: false, ...shown });
}
