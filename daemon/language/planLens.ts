import type { CodeLens, Command } from 'vscode-languageserver-protocol/node';
import type { CommandArgument, CommandId } from '../protocol/commands.js';
import type { AbsolutePath } from '../protocol/paths.js';
import { isDoubtful } from '../protocol/doubtful.js';
import { errorWords } from '../protocol/runs/errorWords.js';
import type { RunSummary } from '../protocol/messages.js';
import { count, shortPercent } from '../protocol/format.js';

/** A lens's command; the argument's type is the command's. */
export function command<C extends CommandId>(title: string, id: C, argument: CommandArgument<C>): Command {
  return { title, command: id, arguments: [argument] };
}

/** Above the first line. */
export const TOP = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function resultText(run: RunSummary): string {
  const kept =
    run.kept === null
      ? ''
      : `, ${count(run.kept)} kept${run.prunable ? ` (${shortPercent(run.kept / run.prunable)})` : ''}`;
  const error =
    run.error === null
      ? ''
      : ` ${run.unlabelled ? errorWords(run.error, true) : `error ${shortPercent(run.error)}`}${run.referenceError === null || run.unlabelled ? '' : ` (reference ${shortPercent(run.referenceError)})`}`;
  switch (run.state) {
    case 'running':
      // No progress: a lens is redrawn only when a run's state changes.
      return '$(sync~spin) Running';
    case 'done':
      return `$(${isDoubtful(run) ? 'warning' : 'check'}) Last run${isDoubtful(run) ? ', with warnings' : ''}:${error}${kept}`;
    case 'crashed':
      return `$(error) Last run crashed${run.ending ? ` (${run.ending.how}, ${run.ending.engine})` : ''} at ${Math.floor(100 * run.progress)}%${error}`;
    case 'failed':
      return `$(error) Last run failed${run.message ? `: ${run.message.slice(0, 80)}` : ''}`;
    default:
      return `Last run: ${run.state} at ${Math.floor(100 * run.progress)}%${error}`;
  }
}

/** @param runs of this plan, newest first; their folders as the client names them. */
export function planLenses(plan: AbsolutePath, runs: readonly RunSummary[]): CodeLens[] {
  const latest = runs[0];
  const finished = runs.filter((run) => run.state === 'done');
  const commands = [
    command('$(play) Run', 'lcPrune.run', { plan }),
    command('$(server) Run on...', 'lcPrune.runOn', { plan }),
    command('$(graph) Path', 'lcPrune.runPath', { plan }),
    command('$(symbol-ruler) Preview budget', 'lcPrune.previewBudget', { plan }),
    command('$(graph-line) Open monitor', 'lcPrune.openMonitor', { plan }),
    ...(latest ? [command(resultText(latest), 'lcPrune.openMonitor', { run: latest.folder })] : []),
    ...(finished.length > 1 ? [command(`Compare ${finished.length} runs`, 'lcPrune.compareRuns', { plan })] : []),
  ];
  return commands.map((each) => ({ range: TOP, command: each }));
}
