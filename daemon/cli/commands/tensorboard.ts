import { join, relative, resolve } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { shellWord } from '../../protocol/shellWord.js';
import { listRuns } from '../../runs/list/listRuns.js';
import { findRun } from '../../runs/list/registry.js';
import { writeTensorboard } from '../../runs/tensorboard.js';
import { stringOption, type Command } from '../command.js';
import { count } from '../text.js';

export const tensorboard: Command = {
  name: 'tensorboard',
  positionals: '[RUN]',
  summary: 'write the curves of a run, or of all runs here, as event files for TensorBoard',
  options: {
    logdir: { type: 'string', value: 'DIR', help: 'where to, a folder for each run (default: .lcprune/tensorboard)' },
  },
  async run({ positionals: [named], values, terminal }) {
    const workspace = resolve(stringOption(values, 'workspace') ?? '.');
    const logdir = resolve(stringOption(values, 'logdir') ?? join(workspace, '.lcprune', 'tensorboard'));
    // All runs that have trained: one that waits or never began must not stop the export of the others.
    const folders =
      named === undefined
        ? (await listRuns(workspace)).filter(({ engine }) => engine !== null).map(({ folder }) => folder)
        : [(await findRun(named, { workspace })).folder];
    if (folders.length === 0)
      throw new UserError('run-missing', 'there is no run here that has trained; start one with: lc-prune run PLAN');
    for (const folder of folders) {
      const written = await writeTensorboard(folder, logdir);
      terminal.emit({ event: 'tensorboard', ...written });
      terminal.print(`${relative(process.cwd(), written.file) || written.file}: ${count(written.events)} moments`);
    }
    terminal.print(`next: tensorboard --logdir ${shellWord(relative(process.cwd(), logdir) || '.')}`);
    return 0;
  },
};
