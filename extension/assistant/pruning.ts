/** What an assistant is about to start, and its cost. It is computed for the confirmation and started exactly as confirmed. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { DataPreview } from '../../daemon/protocol/dataChoice.js';
import { examples, parseGoal } from '../../daemon/protocol/goalText.js';
import type { Budget, DataSource } from '../../daemon/protocol/plan.js';
import type { Daemon } from '../daemon/daemon.js';
import type { AbsolutePath } from '../paths.js';
import { fileInFront, fileNamed } from './toolFiles.js';

export interface PruneInput {
  /** Path of the model. Default: the file in front. */
  model?: string;
  /** As a user types it: "1%", "40 kB", "50% flops", "2:4". */
  budget: string;
  /** Built-in name, or a path relative to the model. Default: the data in the workspace that most likely fits. */
  data?: string;
}

export interface Pruning {
  readonly model: AbsolutePath;
  readonly budget: Budget;
  readonly data: DataSource;
  /** The proposed length; null if nothing could be timed. */
  readonly length: DataPreview['times'][number] | null;
  /** What the budget means: "1% = 2,662 weights, about 16 kB sparse". */
  readonly meaning: string;
  /** What data it is, and how long it takes. */
  readonly dataText: string;
  readonly cost: string;
}

type Asks = Pick<Daemon, 'request'>;

/** @throws Error if the text is not a budget. */
export function budgetOf(text: string): Budget {
  const parsed = parseGoal(text);
  const reading = 'readings' in parsed ? parsed.readings[0] : undefined;
  if (!reading || !('budget' in reading))
    throw new Error(vscode.l10n.t('"{0}" is no budget; say one of: {1}', text, examples(false).join(', ')));
  return reading.budget;
}

/** @throws Error if no model is named and none is in front. */
export async function modelNamed(model: string | undefined): Promise<AbsolutePath> {
  const path = model === undefined ? fileInFront() : await fileNamed(model);
  if (path === null) throw new Error(vscode.l10n.t('No model file is in front; name one.'));
  return path;
}

/** Reads and times; starts nothing. @throws Error for everything that is wrong with the request. */
export async function planPruning(daemon: Asks, input: PruneInput, token?: vscode.CancellationToken): Promise<Pruning> {
  const budget = budgetOf(input.budget);
  const model = await modelNamed(input.model);
  const preview = await daemon.request('lc/preview', { model, budget }, token);
  if (preview.problem !== null) throw new Error(preview.problem);
  const data = input.data ?? (await likeliest(daemon, model, token));
  const shown = await daemon.request('lc/previewData', { model, data }, token);
  const [length] = shown.times;
  return {
    model,
    budget,
    data,
    length: length ?? null,
    meaning: preview.text,
    dataText: `${shown.source} (${shown.about})`,
    cost: length
      ? vscode.l10n.t('It takes {0}, on this machine.', length.text)
      : vscode.l10n.t('How long it takes is not known: {0}', shown.notes.at(-1) ?? ''),
  };
}

async function likeliest(daemon: Asks, model: AbsolutePath, token?: vscode.CancellationToken): Promise<DataSource> {
  const { candidates } = await daemon.request('lc/searchData', { model }, token);
  const found = candidates.find(({ packages }) => packages.length === 0);
  if (!found)
    throw new Error(vscode.l10n.t('No data here fits {0}; name some.', vscode.workspace.asRelativePath(model)));
  return found.data;
}

/** Writes the plan, and starts it. @param engine "auto", or an engine's id. @returns the run's name and its plan. */
export async function startPruning(
  daemon: Asks,
  { model, budget, data, length }: Pruning,
  show: (name: string, begin: () => Promise<string>) => Promise<void>,
  engine: string,
): Promise<{ run: string; plan: AbsolutePath }> {
  const proposed = length && {
    iterations: length.iterations,
    epochs: length.epochs,
    retrainEpochs: length.retrainEpochs,
  };
  const { planPath } = await daemon.request('lc/createPlan', { model, budget, data, ...(proposed && { length: proposed }) }); // prettier-ignore
  let run = '';
  const begin = async () => {
    const started = await daemon.request('lc/start', { planPath, ...(engine !== 'auto' && { engine }) });
    run = started.run;
    return started.folder;
  };
  await show(basename(planPath).replace(/\.prune\.jsonc?$/, ''), begin);
  return { run, plan: planPath };
}
