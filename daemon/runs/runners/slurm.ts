/** Slurm: sbatch submits, squeue reports, scancel ends. One job array for several runs. */
import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { UserError } from '../../protocol/errors.js';
import type { SlurmSettings } from '../../protocol/runs/runOn.js';
import { ask, ProgramFailed } from './programs.js';
import type { JobReport, Runner, Submission, Submitted } from './runner.js';
import { jobScript } from './script.js';

/** Seconds before the limit at which Slurm signals the script, by default. */
const GRACE = 90;

/** A directive's file name may hold "%", which sbatch would replace. */
const verbatim = (path: string): string => path.replaceAll('%', '%%');

function directives({ name, tasks, folder, after, atOnce }: Submission, settings: SlurmSettings): string[] {
  const { partition, account, time, cpus, gpus, memory, grace = GRACE, options = {} } = settings;
  const given: Record<string, string | number | true | undefined> = {
    'job-name': `lc-prune-${name}`.replace(/[^\w.-]/g, '_'),
    ...(tasks.length > 1 && { array: `0-${tasks.length - 1}${atOnce === undefined ? '' : `%${atOnce}`}` }),
    output: `${verbatim(folder)}/output${tasks.length > 1 ? '-%a' : ''}.txt`,
    'open-mode': 'append',
    requeue: true,
    signal: `B:TERM@${grace}`,
    dependency: after.length > 0 ? `afterany:${after.join(':')}` : undefined,
    partition,
    account,
    time,
    'cpus-per-task': cpus,
    gpus,
    mem: memory,
    ...options,
  };
  return Object.entries(given).flatMap(([option, value]) => {
    if (value === undefined) return [];
    return [`#SBATCH --${option}${value === true ? '' : `="${value}"`}`];
  });
}

/** One sentence of what sbatch says, without its own name before each line. */
const said = (text: string): string =>
  text
    .split('\n')
    .map((one) => one.replace(/^sbatch: (error|fatal): /, '').trim())
    .filter(Boolean)
    .join('; ');

/** The names of the partitions that this user sees, for the message of a wrong one. */
async function partitions(): Promise<string> {
  const found = await ask('sinfo', ['--noheader', '--format=%R']).catch(() => '');
  const names = [...new Set(found.split('\n').map((name) => name.trim()))].filter(Boolean);
  return names.length > 0 ? `; the partitions here: ${names.join(', ')}` : '';
}

async function refusal(error: ProgramFailed): Promise<UserError> {
  const text = said(error.message);
  const which = /partition/i.test(text) ? await partitions() : '';
  return new UserError('run-invalid', `Slurm refused the job (${text})${which}; change "runOn" in the plan`, {
    field: 'runOn.slurm',
  });
}

/** "1-02:03:04", "02:03:04", "3:04" in seconds; null: no limit, or not known. */
export function secondsLeft(text: string): number | null {
  const [, days, hours, minutes, seconds] = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text.trim()) ?? [];
  if (seconds === undefined) return null;
  return ((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes)) * 60 + Number(seconds);
}

/** States of squeue(1) in which a job has not begun, or is to begin again. */
const WAITING = ['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_FED', 'REQUEUE_HOLD', 'RESV_DEL_HOLD', 'SPECIAL_EXIT'];
/** States in which its script runs or is about to end. */
const WORKING = ['RUNNING', 'COMPLETING', 'SIGNALING', 'STAGE_OUT', 'STOPPED', 'SUSPENDED', 'RESIZING'];

/** One line of squeue with the fields of `FORMAT`. */
function report(state: string, reason: string, node: string, left: string): JobReport {
  if (WAITING.includes(state)) return { state: 'pending', ...(reason && reason !== 'None' && { reason }) };
  if (!WORKING.includes(state)) return { state: 'ended', reason: state };
  const seconds = secondsLeft(left);
  return {
    state: 'running',
    ...(node && { node }),
    ...(seconds !== null && { until: Math.round(Date.now() / 1000 + seconds) * 1000 }),
  };
}

const FORMAT = '%i|%T|%r|%N|%L';

export const slurmRunner: Runner<SlurmSettings> = {
  async submit(submission, settings) {
    const { folder, tasks } = submission;
    const script = join(folder, 'job.sh');
    const isArray = tasks.length > 1;
    const text = jobScript(tasks, {
      shell: '/bin/bash',
      head: directives(submission, settings),
      setup: [
        // The engine's threads: what the cluster gave this task, not what the machine has.
        '[ -z "$SLURM_CPUS_PER_TASK" ] || export LC_PRUNE_THREADS="$SLURM_CPUS_PER_TASK"',
        ...(settings.setup ?? []),
      ],
      ...(isArray && { number: 'SLURM_ARRAY_TASK_ID' }),
      again: 'scontrol requeue "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"',
    });
    await writeFileAtomic(script, text);
    const answer = await ask('sbatch', ['--parsable', script]).catch(async (error: unknown) => {
      throw error instanceof ProgramFailed ? await refusal(error) : error;
    });
    const job = /^(\d+)/m.exec(answer)?.[1];
    if (job === undefined) throw new UserError('run-invalid', `sbatch did not name the job: ${answer.trim()}`);
    return tasks.map(
      (_, i): Submitted => ({
        id: isArray ? `${job}_${i}` : job,
        output: join(folder, `output${isArray ? `-${i}` : ''}.txt`),
      }),
    );
  },

  async states(ids) {
    const jobs = [...new Set(ids.map((id) => id.split('_')[0]!))];
    const args = ['--noheader', '--array', '--states=all', `--format=${FORMAT}`, `--jobs=${jobs.join(',')}`];
    const text = await ask('squeue', args).catch((error: unknown) => {
      // Every one of them ended so long ago that Slurm has forgotten it.
      if (error instanceof ProgramFailed && /invalid job id/i.test(error.message)) return '';
      if (error instanceof ProgramFailed) throw new UserError('run-invalid', `squeue: ${said(error.message)}`);
      throw error;
    });
    const found = new Map<string, JobReport>();
    for (const one of text.split('\n')) {
      const [id = '', state = '', reason = '', node = '', left = ''] = one.trim().split('|');
      if (ids.includes(id)) found.set(id, report(state, reason, node, left));
    }
    return found;
  },

  async cancel(id) {
    await ask('scancel', ['--state=PENDING', id]).catch((error: unknown) => {
      throw error instanceof ProgramFailed ? new UserError('run-invalid', `scancel ${id}: ${said(error.message)}`) : error;
    });
  },

  async signal(id) {
    await ask('scancel', ['--batch', '--signal=TERM', id]).catch((error: unknown) => {
      throw error instanceof ProgramFailed ? new UserError('run-invalid', `scancel ${id}: ${said(error.message)}`) : error;
    });
  },
}; // prettier-ignore
