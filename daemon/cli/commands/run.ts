import { join, relative, resolve } from 'node:path';
import { fileFormatOf } from '../../export/packageFormat.js';
import { readPlan, workspaceFor } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { startRun } from '../../runs/supervisor.js';
import { baselinePlan } from '../../runs/baselinePlan.js';
import { writeReport } from '../../trainer/report.js';
import { integerOption, stringOption, type Command } from '../command.js';
import { follow, type Done } from '../follow.js';
import type { Terminal } from '../terminal.js';
import { count, percent, table } from '../text.js';

const BASELINES = ['magnitude', 'gradual'] as const;

export const run: Command = {
  name: 'run',
  positionals: 'PLAN',
  summary: 'execute a plan: train the reference if needed, prune to the budget, write the result',
  options: {
    engine: { type: 'string', value: 'ENGINE', help: 'engine id (default: the plan, else auto)' },
    seed: { type: 'string', value: 'N', help: 'seed (default: the plan, else 0)' },
    compare: { type: 'string', value: 'METHOD', help: 'also run a baseline with equal epochs: magnitude or gradual' },
  },
  async run({ positionals, values, terminal }) {
    const planFile = resolve(positionals[0]!);
    const workspace = workspaceFor(planFile, stringOption(values, 'workspace'));
    const compare = stringOption(values, 'compare');
    const baseline = BASELINES.find((method) => method === compare);
    if (compare !== undefined && !baseline)
      throw new UserError('usage', `--compare: "${compare}" is no baseline; known: ${BASELINES.join(', ')}`);
    const seed = integerOption(values, 'seed', 0, 0xffffffff);
    const engine = stringOption(values, 'engine');
    const written = await readPlan(planFile, { workspace, formatOf: fileFormatOf });
    const plan: ResolvedPlan = {
      ...written,
      ...(seed === undefined ? {} : { seed }),
      ...(engine === undefined ? {} : { engine }),
    };

    const handle = await startRun(plan, { workspace });
    const done = await follow(handle, terminal, workspace);
    if (!done) return 130;
    if (baseline) {
      terminal.note('');
      const other = await startRun(await baselinePlan(handle.folder, baseline, { workspace }), { workspace });
      const otherDone = await follow(other, terminal, workspace);
      if (!otherDone) return 130;
      await writeReport(handle.folder, { workspace, others: [other.folder] });
      terminal.emit({ ...otherDone, event: 'baseline', method: baseline });
      terminal.print('');
      terminal.print(
        comparison([
          ['LC', done],
          [baseline, otherDone],
        ]),
      );
    }
    finish(terminal, workspace, done, handle.folder);
    return 0;
  },
};

/** One row a method, in the columns of the paper's table. */
function comparison(rows: readonly (readonly [string, Done])[]): string {
  const cells = rows.map(([name, done]) => [
    name,
    count(done.kept),
    percent(done.kept / done.prunable),
    percent(done.reference.error),
    percent(done.theta.error),
    percent(done.retrained.error),
  ]);
  return table(['method', 'weights', 'kept', 'reference error', 'before retraining', 'after retraining'], cells);
}

/** The last lines of every finished run: where things are; the last JSON line is `done`. */
export function finish(terminal: Terminal, workspace: string, done: Done, folder: string): void {
  terminal.print('');
  terminal.print(`model   ${relative(process.cwd(), join(folder, 'result', 'model.json'))}`);
  terminal.print(`report  ${relative(process.cwd(), join(folder, 'result', 'report.html'))}`);
  terminal.emit({ ...done, folder });
}
