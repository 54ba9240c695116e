import { resolve } from 'node:path';
import { resumeRun } from '../../runs/supervisor.js';
import { findRun } from '../../runs/registry.js';
import { stringOption, type Command } from '../command.js';
import { follow } from '../follow.js';
import { finish } from './run.js';

export const resume: Command = {
  name: 'resume',
  positionals: 'RUN',
  summary: 'continue an interrupted run, bit for bit: its folder, or its name in this workspace',
  options: {},
  async run({ positionals, values, terminal }) {
    const { folder, workspace } = await findRun(positionals[0]!, { workspace: resolve(stringOption(values, 'workspace') ?? '.') });
    const handle = await resumeRun(folder, { workspace });
    const done = await follow(handle, terminal, workspace);
    if (!done) return 130;
    finish(terminal, workspace, done, folder);
    return 0;
  },
};
