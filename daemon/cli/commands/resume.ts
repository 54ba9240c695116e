import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { comparisonOf } from '../../runs/comparison.js';
import { runFolder } from '../../runs/registry.js';
import { resumeRun } from '../../runs/supervisor.js';
import { stringOption, type Command } from '../command.js';
import { doneOf } from '../baselines.js';
import { finishRun } from '../finishRun.js';
import { follow } from '../follow.js';

/** A run by its folder (then its workspace is the folder three levels up: .lcprune/runs/RUN) or by its name. */
async function locate(run: string, explicit: string | undefined): Promise<{ folder: string; workspace: string }> {
  const isFolder = await access(join(run, 'plan.json')).then(
    () => true,
    () => false,
  );
  if (isFolder) return { folder: resolve(run), workspace: resolve(explicit ?? join(run, '..', '..', '..')) };
  const workspace = resolve(explicit ?? '.');
  return { folder: await runFolder(workspace, run), workspace };
}

export const resume: Command = {
  name: 'resume',
  positionals: 'RUN',
  summary: 'continue an interrupted run, bit for bit, and its baselines: its folder, or its name in this workspace',
  options: {},
  async run({ positionals, values, terminal }) {
    const { folder, workspace } = await locate(positionals[0]!, stringOption(values, 'workspace'));
    const before = await comparisonOf(folder);
    // A finished run may still want its baselines: they are what goes on then.
    if (before.subject !== folder || !before.next || !(await doneOf(folder))) {
      const handle = await resumeRun(folder, { workspace });
      if (!(await follow(handle, terminal, workspace))) return 130;
    }
    const { subject } = before;
    return finishRun(terminal, workspace, (await doneOf(subject))!, subject);
  },
};
