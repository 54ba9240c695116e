/** A run's status for clients. */
import { basename } from 'node:path';
import * as z from 'zod';
import { resultModel } from '../model/files/modelInFolder.js';
import { Evaluation, Finding, BudgetCheck, LayerKept, PathAnswer } from '../protocol/events.js';
import { errorWords } from '../protocol/runs/errorWords.js';
import { count, duration, percent } from '../protocol/format.js';
import { RunSummary } from '../protocol/messages.js';
import { lastEvents } from '../runs/eventLog.js';
import type { Root } from './root.js';

export const RunStatus = RunSummary.pick({
  run: true,
  plan: true,
  planPath: true,
  model: true,
  method: true,
  engine: true,
  state: true,
  started: true,
  ended: true,
  iteration: true,
  iterations: true,
  progress: true,
  error: true,
  referenceError: true,
  unlabelled: true,
  kept: true,
  prunable: true,
  etaSeconds: true,
  message: true,
  cautions: true,
}).extend({ folder: z.string().describe('Folder of the run, relative to the root folder.') });
export type RunStatus = z.input<typeof RunStatus>;

/** Of a finished run. Errors are shares: 0.02 is 2%. */
export const RunResult = z.object({
  reference: Evaluation.describe('The network before pruning.'),
  beforeRetraining: Evaluation.describe('The pruned network at the end of the LC iterations (theta).'),
  pruned: Evaluation.describe('The result, after retraining.'),
  kept: z.number(),
  prunable: z.number(),
  perLayer: z.array(LayerKept),
  seconds: z.number(),
  budget: z.array(BudgetCheck).describe('What the budget asked for, and what the written file has of it.'),
  findings: z.array(Finding).describe('What is amiss with the result; one that is unusable must not be used as it is.'),
  path: PathAnswer.nullable().describe('Of a path run: the point that became the result.'),
  model: z.string().describe('The result, relative to the root folder.'),
  report: z.string(),
});

export const statusOf = (summary: RunSummary, root: Root): RunStatus => ({
  ...summary,
  folder: root.shown(summary.folder),
});

export async function resultOf(folder: string, root: Root): Promise<z.input<typeof RunResult> | null> {
  const { state } = await lastEvents(folder);
  if (state?.event !== 'done') return null;
  const { reference, theta, retrained, kept, prunable, perLayer, seconds, budget, findings, path } = state;
  const within = root.shown(folder);
  return {
    reference,
    beforeRetraining: theta,
    pruned: retrained,
    kept,
    prunable,
    perLayer,
    seconds,
    budget: budget ?? [],
    findings: findings ?? [],
    path: path ?? null,
    model: `${within}/result/${basename(await resultModel(folder))}`,
    report: `${within}/result/report.md`,
  };
}

export const isActive = ({ state }: Pick<RunSummary, 'state'>): boolean => state === 'running' || state === 'queued';

/** One line. */
export function statusText(summary: RunSummary): string {
  const { run, state, progress, iteration, iterations, kept, prunable, error, referenceError, unlabelled, etaSeconds } =
    summary;
  const facts = [
    state === 'done' ? null : `${Math.floor(100 * progress)}% done`,
    state !== 'done' && iterations > 0 ? `iteration ${iteration} of ${iterations}` : null,
    kept === null || prunable === null ? null : `keeps ${count(kept)} of ${count(prunable)} weights (${percent(kept / prunable)})`, // prettier-ignore
    error === null ? null : unlabelled ? errorWords(error, true) : `error ${percent(error)}`,
    referenceError === null || unlabelled ? null : `reference ${percent(referenceError)}`,
    etaSeconds === null ? null : `about ${duration(etaSeconds)} left`,
    summary.message,
    ...(summary.cautions ?? []).filter(({ serious }) => serious).map(({ message }) => `warning: ${message}`),
  ].filter((fact) => fact !== null);
  return `${basename(run)} is ${state}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}.`;
}
