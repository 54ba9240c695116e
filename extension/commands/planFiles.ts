/** Reads from plan files which model they prune, and finds the plans of a model. */
import * as vscode from 'vscode';
import { boundText, budgetText } from '../../daemon/protocol/goalText.js';
import { folderOf, namedIn, sameFileAs, uriOf, type AbsolutePath } from '../paths.js';
import { findPlans } from './pick.js';

export const openPlan = (path: AbsolutePath): Thenable<vscode.TextEditor> =>
  vscode.window.showTextDocument(uriOf(path));

/** The plan's model, read from the plan. */
export async function modelOf(
  planPath: AbsolutePath,
): Promise<{ model: AbsolutePath | null; data: unknown; exclude: string[]; budget: string }> {
  const { parse } = await import('jsonc-parser');
  const document = await vscode.workspace.openTextDocument(uriOf(planPath));
  const plan = parse(document.getText()) as
    { model?: unknown; data?: unknown; exclude?: unknown; budget?: unknown; path?: unknown } | undefined;
  return {
    model: typeof plan?.model === 'string' ? namedIn(folderOf(planPath), plan.model) : null,
    data: plan?.data,
    exclude: Array.isArray(plan?.exclude) ? plan.exclude.filter((name) => typeof name === 'string') : [],
    budget: budgetText(plan?.budget) || (plan?.budget === undefined ? boundText(plan?.path) : ''),
  };
}

/** The plans of the workspace that prune a model, with their data. */
export async function plansOf(model: AbsolutePath): Promise<{ plan: AbsolutePath; data: unknown }[]> {
  const isModel = sameFileAs(model);
  const own: { plan: AbsolutePath; data: unknown }[] = [];
  for (const plan of await findPlans()) {
    const said = await modelOf(plan);
    if (said.model !== null && isModel(said.model)) own.push({ plan, data: said.data });
  }
  return own;
}
