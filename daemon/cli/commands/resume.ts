import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { resumeRun } from '../../runs/supervisor.js';
import { runFolder } from '../../runs/registry.js';
import { stringOption, type Command } from '../command.js';
import { follow } from '../follow.js';
import { finishPath } from './path.js';
import { finish } from './run.js';

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
  summary: 'continue an interrupted run, bit for bit: its folder, or its name in this workspace',
  options: {},
  async run({ positionals, values, terminal }) {
    const { folder, workspace } = await locate(positionals[0]!, stringOption(values, 'workspace'));
    const handle = await resumeRun(folder, { workspace });
    const done = await follow(handle, terminal, workspace);
    if (!done) return 130;
    if (done.path) return finishPath(terminal, workspace, done, folder);
    finish(terminal, workspace, done, folder);
    return 0;
  },
};
