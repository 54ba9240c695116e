import { basename, join, resolve } from 'node:path';
import { isThere } from '../../files/isThere.js';
import { UserError } from '../../protocol/errors.js';
import { comparisonOf } from '../../runs/comparison.js';
import { readRunPlan, runFolder } from '../../runs/list/registry.js';
import { stringOption, type Command } from '../command.js';
import { doneOf } from '../baselines.js';
import { executeAgain } from '../execute.js';
import { finishRun } from '../finishRun.js';
import { ON_OPTION, runnerOption } from '../runnerOption.js';

/** A run by its folder (then its workspace is the folder three levels up: .lcprune/runs/RUN) or by its name. */
async function locate(run: string, explicit: string | undefined): Promise<{ folder: string; workspace: string }> {
  if (await isThere(join(run, 'plan.json')))
    return { folder: resolve(run), workspace: resolve(explicit ?? join(run, '..', '..', '..')) };
  const workspace = resolve(explicit ?? '.');
  return { folder: await runFolder(workspace, run), workspace };
}

export const resume: Command = {
  name: 'resume',
  positionals: 'RUN',
  summary: 'continue an interrupted run, bit for bit, and its baselines: its folder, or its name in this workspace',
  options: {
    engine: {
      type: 'string',
      value: 'ENGINE',
      help: 'go on on another engine from the last checkpoint; the log and the report name the change',
    },
    ...ON_OPTION,
  },
  async run({ positionals, values, terminal }) {
    const { folder, workspace } = await locate(positionals[0]!, stringOption(values, 'workspace'));
    const engine = stringOption(values, 'engine');
    const before = await comparisonOf(folder);
    // A finished run may still lack baselines: then those are resumed.
    const baseline = before.subject === folder && (await doneOf(folder)) ? before.next : null;
    if (baseline && engine !== undefined && baseline.folder === null)
      throw new UserError(
        'usage',
        `--engine: ${basename(folder)} is finished, and its baseline (${baseline.method}) has not begun: it starts on the run's own engine`,
      );
    if (!baseline || engine !== undefined) {
      const again = baseline?.folder ?? folder;
      const remote = runnerOption(values, (await readRunPlan(again)).runOn);
      if (
        !(await executeAgain(again, workspace, terminal, {
          remote,
          engine,
          isMoved: stringOption(values, 'on') !== undefined,
        }))
      )
        return 130;
    }
    const { subject } = before;
    return finishRun(terminal, workspace, (await doneOf(subject))!, subject);
  },
};
