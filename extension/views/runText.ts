import * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import { isDoubtful } from '../../daemon/protocol/doubtful.js';
import { count, duration, shortPercent } from '../../daemon/protocol/format.js';
import { jobText, placeOfJob } from '../../daemon/protocol/runs/placeOfJob.js';
import { bar } from './bar.js';

/** Colours that every theme keeps legible on its side bar; chart colours need not be. */
const [WARNING, ERROR] = ['problemsWarningIcon.foreground', 'problemsErrorIcon.foreground'];

/** The state's icon and colour. */
export function runIcon(run: Pick<RunSummary, 'state' | 'cautions'>): vscode.ThemeIcon {
  const of = (icon: string, colour?: string) =>
    new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
  switch (run.state) {
    case 'queued':
      return of('clock');
    case 'running':
      return of('sync~spin', 'charts.blue');
    case 'paused':
      return of('debug-pause', WARNING);
    case 'interrupted':
      return of('debug-disconnect', WARNING);
    case 'stopped':
      return of('debug-stop', WARNING);
    case 'crashed':
      return of('debug-disconnect', ERROR);
    case 'failed':
      return of('error', ERROR);
    case 'done':
      return isDoubtful(run) ? of('warning', WARNING) : of('pass', 'testing.iconPassed');
  }
}

export function stateName(state: RunSummary['state']): string {
  switch (state) {
    case 'queued':
      return vscode.l10n.t('queued');
    case 'running':
      return vscode.l10n.t('running');
    case 'paused':
      return vscode.l10n.t('paused');
    case 'interrupted':
      return vscode.l10n.t('interrupted');
    case 'stopped':
      return vscode.l10n.t('stopped');
    case 'crashed':
      return vscode.l10n.t('crashed');
    case 'failed':
      return vscode.l10n.t('failed');
    case 'done':
      return vscode.l10n.t('finished');
  }
}

const keptShare = (summary: RunSummary): number | null =>
  summary.kept === null || !summary.prunable ? null : summary.kept / summary.prunable;

/** "pending: Priority", "n7, 1 h 12 min left": where a queue's run waits or executes; null: it is none. */
const placeText = ({ job }: RunSummary): string | null => (job ? placeOfJob(job) : null);

/** "12/30 · 1.93% error · 1% kept · 3 min left". */
export function runDescription(summary: RunSummary): string {
  const kept = keptShare(summary);
  const active = summary.state === 'running';
  const place = placeText(summary);
  return [
    active ? null : place,
    isDoubtful(summary) ? vscode.l10n.t('warnings') : null,
    summary.state === 'done' || active || place !== null ? null : stateName(summary.state),
    active || summary.state === 'paused' ? `${summary.iteration}/${summary.iterations}` : null,
    summary.error === null
      ? null
      : summary.unlabelled
        ? vscode.l10n.t('{0} unlike the reference', shortPercent(summary.error))
        : vscode.l10n.t('{0} error', shortPercent(summary.error)),
    kept === null ? null : vscode.l10n.t('{0} kept', shortPercent(kept)),
    active && summary.etaSeconds !== null ? vscode.l10n.t('{0} left', duration(summary.etaSeconds)) : null,
    active ? place : null,
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

/** Markdown with everything in a summary. */
export function runTooltip(summary: RunSummary): vscode.MarkdownString {
  const text = new vscode.MarkdownString(undefined, true);
  const kept = keptShare(summary);
  const row = (name: string, value: string | null) => (value === null ? '' : `| ${name} | ${value} |\n`);
  const safe = (value: string) => value.replace(/[\\`*_{}[\]()#+\-.!|<>]/g, '\\$&');
  text.appendMarkdown(`**${safe(summary.plan)}** · ${stateName(summary.state)}\n\n`);
  if (summary.state === 'running')
    text.appendMarkdown(`${bar(summary.progress)} ${shortPercent(summary.progress)}\n\n`);
  text.appendMarkdown(
    '| | |\n|---|---|\n' +
      row(vscode.l10n.t('Model'), safe(summary.model)) +
      row(vscode.l10n.t('Method'), safe(summary.method.toUpperCase())) +
      row(vscode.l10n.t('Engine'), summary.engine && safe(summary.engine)) +
      row(vscode.l10n.t('Where'), summary.job ? safe(jobText(summary.job)) : null) +
      row(vscode.l10n.t('Iteration'), `${summary.iteration} / ${summary.iterations}`) +
      row(
        summary.unlabelled ? vscode.l10n.t('Unlike the reference') : vscode.l10n.t('Error (pruned)'),
        summary.error === null ? null : shortPercent(summary.error),
      ) +
      row(
        vscode.l10n.t('Error (reference)'),
        summary.referenceError === null || summary.unlabelled ? null : shortPercent(summary.referenceError),
      ) +
      row(
        vscode.l10n.t('Kept'),
        kept === null
          ? null
          : vscode.l10n.t('{0} of {1} ({2})', count(summary.kept!), count(summary.prunable!), shortPercent(kept)),
      ) +
      row(
        vscode.l10n.t('Throughput'),
        summary.samplesPerSecond === null
          ? null
          : vscode.l10n.t('{0} samples/s', count(Math.round(summary.samplesPerSecond))),
      ) +
      row(vscode.l10n.t('Time left'), summary.etaSeconds === null ? null : duration(summary.etaSeconds)) +
      row(vscode.l10n.t('Started'), new Date(summary.started).toLocaleString()),
  );
  for (const message of [summary.message, ...(summary.cautions ?? []).map((caution) => caution.message)])
    if (message) text.appendMarkdown(`\n${safe(message)}\n`);
  return text;
}
