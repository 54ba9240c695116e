import type { Remote, RunnerName } from '../../protocol/runs/runOn.js';
import { commandRunner } from './command.js';
import type { Runner, Submission, Submitted } from './runner.js';
import { slurmRunner } from './slurm.js';

/** Every runner by the name of its settings. */
export const RUNNERS: Readonly<Record<RunnerName, Omit<Runner<never>, 'submit'>>> = {
  slurm: slurmRunner,
  command: commandRunner,
};

/** @throws UserError that says what the runner refused. */
export const submitTo = (remote: Remote, submission: Submission): Promise<Submitted[]> =>
  'slurm' in remote ? slurmRunner.submit(submission, remote.slurm) : commandRunner.submit(submission, remote.command);
