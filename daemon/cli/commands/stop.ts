import { resolve } from 'node:path';
import { shellWord } from '../../protocol/shellWord.js';
import { findRun } from '../../runs/list/registry.js';
import { readJob } from '../../runs/runners/jobs.js';
import { stopJob } from '../../runs/runners/stopJob.js';
import { steerRun } from '../../runs/steer.js';
import { isSweepFolder, workspaceOfSweep } from '../../runs/sweeps/sweepFolder.js';
import { stopSweep } from '../../runs/sweeps/stopSweep.js';
import { stringOption, type Command } from '../command.js';
import { resumeCommand } from '../resumeCommand.js';

export const stop: Command = {
  name: 'stop',
  positionals: 'RUN',
  summary: 'end a run that runs anywhere, or waits in a queue, with a checkpoint; or all runs of the folder of a sweep',
  options: {},
  async run({ positionals, values, terminal }) {
    const workspace = resolve(stringOption(values, 'workspace') ?? '.');
    const sweep = resolve(positionals[0]!);
    if (await isSweepFolder(sweep)) {
      await stopSweep(sweep, resolve(stringOption(values, 'workspace') ?? workspaceOfSweep(sweep)));
      terminal.note(`stopped; continue with: lc-prune sweep ${shellWord(positionals[0]!)}`);
      terminal.emit({ event: 'stopped', folder: sweep });
      return 0;
    }
    const { folder } = await findRun(positionals[0]!, { workspace });
    await ((await readJob(folder)) ? stopJob(folder) : steerRun(folder, { type: 'stop' }));
    terminal.note(`stopped; continue with: ${resumeCommand(folder)}`);
    terminal.emit({ event: 'stopped', folder });
    return 0;
  },
};
