import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { work as workOn } from '../../runs/runners/work.js';
import { stringOption, type Command } from '../command.js';

export const work: Command = {
  name: 'work',
  positionals: 'RUN',
  summary: 'what a job executes: a run and its baselines, from the last checkpoint on; SIGTERM writes one and ends',
  options: {},
  async run({ positionals, values, terminal }) {
    const folder = await realpath(positionals[0]!).catch((error: Error) => {
      throw new UserError('run-missing', `${positionals[0]!} cannot be seen here: ${error.message}`);
    });
    const workspace = await realpath(stringOption(values, 'workspace') ?? resolve(folder, '..', '..', '..'));
    return workOn(folder, { workspace, say: (text) => terminal.note(text) });
  },
};
