import * as vscode from 'vscode';
import type { DataPreview, PlanLength } from '../../daemon/protocol/dataChoice.js';
import type { DataSource } from '../../daemon/protocol/plan.js';
import type { DataWishes, FromDataPage, ToDataPage } from '../../webview/messages/data.js';
import { DATA_PAGE } from '../ids.js';
import { pageOptions, showBuiltPage } from '../page/builtPage.js';
import type { AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';

/** Data that the user previewed and accepted. `length` is null if nothing could be timed. */
export interface ChosenData {
  readonly data: DataSource;
  readonly length: PlanLength | null;
}

interface Shown {
  readonly model: AbsolutePath;
  readonly modelName: string;
  readonly data: DataSource;
  readonly name: string;
  /** An existing plan; without it, the data is for a new plan beside the model. */
  readonly planPath?: AbsolutePath | undefined;
}

const NO_WISHES: DataWishes = { labels: null, inputs: null, scale: null, order: null };

/** The data with the user's changes to how it is read; what is null stays as the data specifies. */
function withWishes(data: DataSource, { labels, inputs, scale, order }: DataWishes): DataSource {
  if (labels === null && inputs === null && scale === null && order === null) return data;
  const { preprocess, ...written } = typeof data === 'string' ? { source: data } : data;
  const read = { ...preprocess, ...(scale !== null && { scale }) };
  return {
    ...written,
    ...(labels !== null && { labels: labels.length === 1 ? labels[0] : [...labels] }),
    ...(inputs !== null && { inputs: [...inputs] }),
    ...(Object.keys(read).length > 0 && { preprocess: read }),
    ...(order !== null && { classes: order }),
  } as DataSource;
}

const lengthOf = ({ times }: DataPreview, time: number): PlanLength | null => {
  const chosen = times[time];
  if (!chosen) return null;
  const { iterations, epochs, retrainEpochs, text } = chosen;
  return { iterations, epochs, retrainEpochs, about: `${text.split(':')[0]!} on this machine` };
};

/**
 * Shows how the data would be read, until the user accepts it.
 * @returns 'other' if the user wants other data; undefined if the page was closed.
 */
export function showDataPage(
  { context, daemon, log }: Services,
  { model, modelName, data, name, planPath }: Shown,
): Promise<ChosenData | 'other' | undefined> {
  const panel = vscode.window.createWebviewPanel(DATA_PAGE, vscode.l10n.t('Data for {0}', modelName), vscode.ViewColumn.Active, {
    ...pageOptions(context.extensionUri),
    retainContextWhenHidden: true,
  }); // prettier-ignore
  /** What the page shows: a page that gets ready is sent it again. */
  let latest: ToDataPage | undefined;
  const post = (message: ToDataPage) => {
    latest = message;
    void panel.webview.postMessage(message);
  };
  let reading = new vscode.CancellationTokenSource();
  let preview: DataPreview | undefined;
  const read = async (wishes: DataWishes) => {
    reading.cancel();
    const mine = (reading = new vscode.CancellationTokenSource());
    preview = undefined;
    post({ type: 'reading', name, model: modelName });
    try {
      const wanted = { model, data: withWishes(data, wishes), ...(planPath !== undefined && { planPath }) };
      const found = await daemon.request('lc/previewData', wanted, mine.token);
      if (mine.token.isCancellationRequested) return;
      preview = found;
      post({ type: 'preview', preview, wishes });
    } catch (error) {
      if (!mine.token.isCancellationRequested) post({ type: 'problem', message: (error as Error).message });
    }
  };
  return new Promise((resolve) => {
    panel.webview.onDidReceiveMessage((message: FromDataPage) => {
      switch (message.type) {
        case 'ready':
          if (latest) post(latest);
          break;
        case 'change':
          void read(message.wishes);
          break;
        case 'use':
          if (!preview) break;
          resolve({ data: preview.data, length: lengthOf(preview, message.time) });
          panel.dispose();
          break;
        case 'other':
          resolve('other');
          panel.dispose();
          break;
        case 'failure':
          log.error(`Data page: ${message.message}`);
          break;
      }
    });
    panel.onDidDispose(() => {
      reading.cancel();
      resolve(undefined);
    });
    showBuiltPage(panel.webview, context.extensionUri, 'data', vscode.l10n.t('Data for {0}', modelName));
    // The data is read while the page loads.
    void read(NO_WISHES);
  });
}
