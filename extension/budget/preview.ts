import type * as vscode from 'vscode';
import type { Params, RequestMethod, Result } from '../../daemon/protocol/messages.js';
import type { AbsolutePath } from '../paths.js';
import type { OutlookSubject } from '../../daemon/protocol/messages.js';
import type { Preview } from './askBudget.js';
import type { AskOutlook } from './outlooks.js';

/** Sends a request to the daemon. */
interface Asks {
  request<M extends RequestMethod>(method: M, params: Params<M>, token?: vscode.CancellationToken): Promise<Result<M>>;
}

/** What a budget means for a model file. @param exclude names of layers that are not pruned. */
export const previewOfModel =
  (daemon: Asks, model: AbsolutePath, exclude: readonly string[] = []): Preview =>
  (budget) =>
    daemon.request('lc/preview', { model, budget, ...(exclude.length > 0 && { exclude: [...exclude] }) });

/** What a budget means for the layers that a run prunes, even if its plan's file has changed or gone since. */
export const previewOfRun =
  (daemon: Asks, run: string): Preview =>
  (budget) =>
    daemon.request('lc/previewRun', { run, budget });

/**
 * What a budget means for a saved plan, whatever its model is: also an architecture that no file holds yet. For a plan with several tasks, each task
 * has its own line.
 */
export const previewOfPlan =
  (daemon: Asks, plan: AbsolutePath): Preview =>
  async (budget) => {
    const tasks = await daemon.request('lc/previewPlan', { planPath: plan, budget });
    const [only] = tasks;
    if (only && tasks.length === 1) return only.preview;
    const total = (of: (preview: (typeof tasks)[number]['preview']) => number | null) =>
      tasks.reduce<number | null>((sum, { preview }) => {
        const part = of(preview);
        return sum === null || part === null ? null : sum + part;
      }, 0);
    return {
      kappa: total(({ kappa }) => kappa),
      prunable: total(({ prunable }) => prunable) ?? 0,
      bytes: total(({ bytes }) => bytes),
      flopsShare: null,
      text: tasks.map(({ task, preview }) => `${task}: ${preview.text}`).join('; '),
      problem: tasks.find(({ preview }) => preview.problem !== null)?.preview.problem ?? null,
    };
  };

/** What runs would cost and where they begin: of a saved plan, or of a new one for a model and its data. */
export const outlookOf =
  (daemon: Asks, of: OutlookSubject): AskOutlook =>
  (goals, token) =>
    daemon.request('lc/outlook', { goals: [...goals], of }, token);
