import { resolve } from 'node:path';
import { isDoubtful } from '../../protocol/doubtful.js';
import { listRuns } from '../../runs/listRuns.js';
import { stringOption, type Command } from '../command.js';
import { count, percent, table } from '../text.js';

export const runs: Command = {
  name: 'runs',
  positionals: '',
  summary: 'the runs of this workspace: state, progress, error, kept',
  options: {},
  async run({ values, terminal }) {
    const found = await listRuns(resolve(stringOption(values, 'workspace') ?? '.'));
    for (const summary of found) terminal.emit({ event: 'run', ...summary });
    const rows = found.map((summary) => [
      summary.run,
      summary.method,
      isDoubtful(summary)
        ? 'done, with warnings'
        : summary.ending
          ? `${summary.state} (${summary.ending.how}, ${summary.ending.engine})`
          : summary.state,
      `${Math.round(100 * summary.progress)}%`,
      percent(summary.referenceError),
      percent(summary.error),
      summary.kept === null
        ? '-'
        : `${count(summary.kept)} (${percent(summary.kept / (summary.prunable ?? summary.kept))})`,
    ]);
    terminal.print(
      found.length > 0
        ? table(['run', 'method', 'state', 'done', 'reference', 'error', 'kept'], rows)
        : 'no runs here; start one with: lc-prune run PLAN',
    );
    return 0;
  },
};
