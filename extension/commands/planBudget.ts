/** Asks for another budget of a plan, or limits of one of its layers, and writes it into the plan. */
import * as vscode from 'vscode';
import { askGoal } from '../budget/askBudget.js';
import { editPlan as edit } from '../budget/editDocument.js';
import { withBound, withBudget, withLayerLimits } from '../budget/editPlan.js';
import type { OutlookSubject } from '../../daemon/protocol/messages.js';
import { outlookOf, previewOfModel, previewOfPlan } from '../budget/preview.js';
import { setContext } from '../contexts.js';
import type { Daemon } from '../daemon/daemon.js';
import { CONTEXTS } from '../ids.js';
import type { AbsolutePath } from '../paths.js';
import { modelOf } from './planFiles.js';

/** What runs would cost; nothing without trust, because reading data may run a program of the workspace. */
export const outlookIfTrusted = (daemon: Daemon, of: OutlookSubject) =>
  vscode.workspace.isTrusted ? outlookOf(daemon, of) : undefined;

export async function setPlanBudget(daemon: Daemon, planPath: AbsolutePath): Promise<void> {
  const { model, exclude, budget: current } = await modelOf(planPath);
  const goal = await askGoal({
    title: vscode.l10n.t('Budget of {0}', vscode.workspace.asRelativePath(planPath)),
    preview: model ? previewOfModel(daemon, model, exclude) : previewOfPlan(daemon, planPath),
    current,
    outlook: outlookIfTrusted(daemon, { planPath }),
  });
  if (!goal) return;
  await edit(planPath, (text) => ('budget' in goal ? withBudget(text, goal.budget) : withBound(text, goal.bound)));
  setContext(CONTEXTS.hasBudget, true);
}

export async function setLayerLimits(planPath: AbsolutePath, layer: string): Promise<void> {
  const ask = (title: string, prompt: string) =>
    vscode.window.showInputBox({
      title,
      prompt,
      placeHolder: '5%',
      validateInput: (text) =>
        text.trim() === '' || /^\s*(100|\d{1,2})(\.\d+)?\s*%\s*$/.test(text)
          ? null
          : vscode.l10n.t('A share such as 5%, or nothing for no limit'),
    });
  const floor = await ask(
    vscode.l10n.t('{0}: keep at least (1 of 2)', layer),
    vscode.l10n.t('Smallest share of this layer that is kept. Empty: no floor.'),
  );
  if (floor === undefined) return;
  const cap = await ask(
    vscode.l10n.t('{0}: keep at most (2 of 2)', layer),
    vscode.l10n.t('Largest share of this layer that is kept. Empty: no cap.'),
  );
  if (cap === undefined) return;
  await edit(planPath, (text) =>
    withLayerLimits(text, layer, { floor: floor.trim() || null, cap: cap.trim() || null }),
  );
}
