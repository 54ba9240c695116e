import * as vscode from 'vscode';
import { countsWeights } from '../../daemon/protocol/runs/budgetLabel.js';
import type { Budget } from '../../daemon/protocol/plan.js';
import type { Floors, FromSensitivityPage, ToSensitivityPage } from '../../webview/messages/sensitivity.js';
import { editPlan } from '../budget/editDocument.js';
import { withFloors } from '../budget/editPlan.js';
import { SENSITIVITY_PAGE } from '../ids.js';
import { openJobPage, type JobPage } from '../page/jobPage.js';
import type { AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';

type Page = JobPage<ToSensitivityPage>;

/** The plan's budget with other floors; caps and all else stay. */
function budgetWith(budget: Budget, floors: Floors): Budget {
  const capped = Object.entries(budget.layers ?? {}).map(([layer, { floor: _, ...rest }]) => [layer, rest] as const);
  const layers: NonNullable<Budget['layers']> = Object.fromEntries(capped);
  for (const [layer, floor] of Object.entries(floors)) layers[layer] = { ...layers[layer], floor };
  return { ...budget, layers };
}

/** The page of what each layer of a saved plan loses when it is pruned alone. Each call opens one. */
export function showSensitivityPage(services: Services, planPath: AbsolutePath, asText: () => Promise<void>): void {
  const { daemon } = services;
  const name = vscode.workspace.asRelativePath(planPath);
  let budget: Budget | null = null;
  let measured: readonly string[] = [];

  function compute({ post, compute }: Page): Promise<void> {
    post({ type: 'plan', name });
    return compute(
      (progress, token) => daemon.request('lc/sensitivity', { planPath, progress }, token),
      (sensitivity) => {
        ({ budget } = sensitivity);
        measured = sensitivity.layers.map(({ layer }) => layer);
        post({ type: 'sensitivity', sensitivity });
      },
    );
  }

  async function check({ post }: Page, turn: number, floors: Floors): Promise<void> {
    if (!budget) return;
    try {
      const [task] = await daemon.request('lc/previewPlan', { planPath, budget: budgetWith(budget, floors) });
      if (!task) return;
      const { text, kappa, problem } = task.preview;
      // Budgets of neurons and penalties do not count the weights of floors.
      const comparable = countsWeights(budget);
      post({ type: 'checked', turn, text, kappa: comparable ? kappa : null, problem });
    } catch (error) {
      post({ type: 'checked', turn, text: '', kappa: null, problem: (error as Error).message });
    }
  }

  async function write({ post }: Page, floors: Floors): Promise<void> {
    try {
      const wanted = new Map(measured.map((layer) => [layer, floors[layer] ?? null]));
      await editPlan(planPath, (text) => withFloors(text, wanted), { viewColumn: vscode.ViewColumn.Beside });
      post({ type: 'written' });
    } catch (error) {
      post({ type: 'writeProblem', message: (error as Error).message });
    }
  }

  const title = vscode.l10n.t('Sensitivity of {0}', name);
  openJobPage<ToSensitivityPage, FromSensitivityPage>(
    services,
    { viewType: SENSITIVITY_PAGE, title, page: 'sensitivity' },
    compute,
    (message, page) => {
      switch (message.type) {
        case 'check':
          void check(page, message.turn, message.floors);
          break;
        case 'write':
          void write(page, message.floors);
          break;
        case 'asText':
          asText().catch((error: unknown) => {
            if (!(error instanceof vscode.CancellationError))
              page.post({ type: 'problem', message: (error as Error).message });
          });
          break;
      }
    },
  );
}
