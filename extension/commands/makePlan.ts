/** Makes a plan for a model, or takes the existing one, and changes the data of a plan. */
import * as vscode from 'vscode';
import { askGoal } from '../budget/askBudget.js';
import { editPlan as edit } from '../budget/editDocument.js';
import { withData } from '../budget/editPlan.js';
import { previewOfModel } from '../budget/preview.js';
import { setContext } from '../contexts.js';
import { chooseData } from '../data/chooseData.js';
import { knownData } from '../data/knownData.js';
import { CONTEXTS } from '../ids.js';
import type { AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';
import { outlookIfTrusted } from './planBudget.js';
import { modelOf, openPlan, plansOf } from './planFiles.js';

/** Asks for data, then for the budget. Data on which all plans of the model agree is not asked for again. @param always asks all the same. */
export async function makePlan(
  services: Services,
  model: AbsolutePath,
  title: (data: string | null) => string,
  always = false,
): Promise<AbsolutePath | undefined> {
  const { daemon } = services;
  const known = always ? null : await knownData(await plansOf(model));
  const chosen = known
    ? { data: known.data, length: null }
    : await chooseData(services, {
        model,
        title: vscode.l10n.t('Data of {0}', vscode.workspace.asRelativePath(model)),
      });
  if (!chosen) return undefined;
  const shown = known && vscode.l10n.t('data as in {0}', vscode.workspace.asRelativePath(known.plan));
  const { data, length } = chosen;
  const goal = await askGoal({
    title: title(shown),
    preview: previewOfModel(daemon, model),
    outlook: outlookIfTrusted(daemon, { model, data, ...(length && { length }) }),
  });
  if (!goal) return undefined;
  const { planPath } = await daemon.request('lc/createPlan', { model, ...goal, data, ...(length && { length }) });
  setContext(CONTEXTS.hasBudget, true);
  return planPath;
}

/** The plan of a model: the only one, the user's choice, or a new one. */
export async function planFor(services: Services, model: AbsolutePath): Promise<AbsolutePath | undefined> {
  const own = (await plansOf(model)).map(({ plan }) => plan);
  if (own.length === 0)
    return makePlan(services, model, () => vscode.l10n.t('No plan uses this model yet: budget of a new one'));
  if (own.length === 1) return own[0];
  const chosen = await vscode.window.showQuickPick(
    own.map((path) => ({ label: vscode.workspace.asRelativePath(path), path })),
    { title: vscode.l10n.t('Which plan?') },
  );
  return chosen?.path;
}

/** Changes the data of an existing plan. @returns false if the user cancelled. */
export async function changeData(services: Services, planPath: AbsolutePath): Promise<boolean> {
  const { model } = await modelOf(planPath);
  if (model === null) {
    // The data that the architecture takes is offered where "data" stands.
    await openPlan(planPath);
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        'This plan trains an architecture, not a file: name its data in the plan, a built-in set or a path.',
      ),
    );
    return false;
  }
  const title = vscode.l10n.t('Data of {0}', vscode.workspace.asRelativePath(planPath));
  const chosen = await chooseData(services, { model, planPath, title });
  if (!chosen) return false;
  await edit(planPath, (text) => withData(text, chosen.data));
  return true;
}
