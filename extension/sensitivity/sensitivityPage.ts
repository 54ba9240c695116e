import * as vscode from 'vscode';
import type { Budget } from '../../daemon/protocol/plan.js';
import type { Floors, FromSensitivityPage, ToSensitivityPage } from '../../webview/sensitivity/messages.js';
import { editPlan } from '../budget/editDocument.js';
import { withFloors } from '../budget/editPlan.js';
import { SENSITIVITY_PAGE } from '../ids.js';
import { pageHtml } from '../page/html.js';
import { pageStrings } from '../page/strings.js';
import type { AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';

let names = 0;

/** The plan's budget with other floors; caps and all else stay. */
function budgetWith(budget: Budget, floors: Floors): Budget {
  const capped = Object.entries(budget.layers ?? {}).map(([layer, { floor: _, ...rest }]) => [layer, rest] as const);
  const layers: NonNullable<Budget['layers']> = Object.fromEntries(capped);
  for (const [layer, floor] of Object.entries(floors)) layers[layer] = { ...layers[layer], floor };
  return { ...budget, layers };
}

/** The page of what each layer of a saved plan loses alone. Each call opens one; closing it ends what it measures. */
export function showSensitivityPage(
  { context, daemon, log }: Services,
  planPath: AbsolutePath,
  asText: () => Promise<void>,
): void {
  const folder = vscode.Uri.joinPath(context.extensionUri, 'dist', 'webview');
  const name = vscode.workspace.asRelativePath(planPath);
  const title = vscode.l10n.t('Sensitivity of {0}', name);
  const panel = vscode.window.createWebviewPanel(SENSITIVITY_PAGE, title, vscode.ViewColumn.Active, {
    enableScripts: true,
    enableForms: false,
    localResourceRoots: [folder],
    retainContextWhenHidden: true,
  });
  const post = (message: ToSensitivityPage) => void panel.webview.postMessage(message);
  const progress = `sensitivity ${names++}`;
  let work = new vscode.CancellationTokenSource();
  let budget: Budget | null = null;
  let measured: readonly string[] = [];

  async function compute(): Promise<void> {
    work.cancel();
    const mine = (work = new vscode.CancellationTokenSource());
    post({ type: 'plan', name });
    try {
      const sensitivity = await daemon.request('lc/sensitivity', { planPath, progress }, mine.token);
      if (mine.token.isCancellationRequested) return;
      ({ budget } = sensitivity);
      measured = sensitivity.layers.map(({ layer }) => layer);
      post({ type: 'sensitivity', sensitivity });
    } catch (error) {
      if (mine === work) post({ type: 'problem', message: mine.token.isCancellationRequested ? vscode.l10n.t('It was cancelled.') : (error as Error).message });
    }
  }

  async function check(turn: number, floors: Floors): Promise<void> {
    if (!budget) return;
    try {
      const [task] = await daemon.request('lc/previewPlan', { planPath, budget: budgetWith(budget, floors) });
      if (!task) return;
      const { text, kappa, problem } = task.preview;
      // Of neurons and of penalties the floors' weights are no part.
      const comparable = budget.neurons === undefined && budget.prune !== 'neurons' && budget.alpha === undefined;
      post({ type: 'checked', turn, text, kappa: comparable ? kappa : null, problem });
    } catch (error) {
      post({ type: 'checked', turn, text: '', kappa: null, problem: (error as Error).message });
    }
  }

  async function write(floors: Floors): Promise<void> {
    try {
      const wanted = new Map(measured.map((layer) => [layer, floors[layer] ?? null]));
      await editPlan(planPath, (text) => withFloors(text, wanted), { viewColumn: vscode.ViewColumn.Beside });
      post({ type: 'written' });
    } catch (error) {
      post({ type: 'writeProblem', message: (error as Error).message });
    }
  }

  const listener = daemon.on('lc/progress', (told) => {
    if (told.progress === progress) post({ type: 'progress', done: told.done, total: told.total });
  });
  panel.webview.onDidReceiveMessage((message: FromSensitivityPage) => {
    switch (message.type) {
      case 'ready':
      case 'compute':
        void compute();
        break;
      case 'cancel':
        work.cancel();
        break;
      case 'check':
        void check(message.turn, message.floors);
        break;
      case 'write':
        void write(message.floors);
        break;
      case 'asText':
        asText().catch((error: unknown) => {
          if (!(error instanceof vscode.CancellationError)) post({ type: 'problem', message: (error as Error).message });
        });
        break;
      case 'failure':
        log.error(`Page of sensitivity: ${message.message}`);
        break;
    }
  });
  panel.onDidDispose(() => {
    listener.dispose();
    work.cancel();
  });
  const file = (part: string) => String(panel.webview.asWebviewUri(vscode.Uri.joinPath(folder, part)));
  panel.webview.html = pageHtml({
    cspSource: panel.webview.cspSource,
    script: file('sensitivity.js'),
    style: file('sensitivity.css'),
    title,
    language: vscode.env.language,
    strings: pageStrings(),
  });
} // prettier-ignore
