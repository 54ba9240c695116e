/** Where a run executes: a key of the plan, and what is known of a run that is not executed by a process of this machine. */
import * as z from 'zod';
import type { JobState as State } from './placeOfJob.js';

/** One line of a job script, or one word of its directives. */
const line = z
  .string()
  .regex(/^[^\r\n\0]+$/, 'one line of text')
  .max(1000);
const word = line.regex(/^[^\s#'"\\]+$/, 'a word without spaces and quotes');

/** Options of sbatch that this product gives itself: a plan may not replace them. */
const OWN_OPTIONS = ['array', 'dependency', 'job-name', 'open-mode', 'output', 'parsable', 'requeue', 'signal', 'wrap'];

const SlurmSettings = z.strictObject({
  partition: word.optional(),
  account: word.optional(),
  time: word.optional().describe('Time limit as sbatch takes it: "2:00:00", "1-12". The run continues after it.'),
  cpus: z.int().min(1).max(1024).optional().describe('Cores of each run. Default: what the cluster gives a task.'),
  gpus: z.union([z.int().min(1).max(64), word]).optional().describe('A count, or a kind with a count: "a100:1".'),
  memory: word.optional().describe('Memory of each run: "8G".'),
  setup: z.array(line).optional().describe('Lines of the job script before the run: "module load nodejs".'),
  grace: z
    .int()
    .min(10)
    .max(3600)
    .optional()
    .describe('Seconds before the time limit at which the run writes a checkpoint and is queued again. Default 90.'),
  options: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'a long option of sbatch without its dashes'), z.union([word, z.number(), z.literal(true)]))
    .refine((options) => !Object.keys(options).some((key) => OWN_OPTIONS.includes(key)), {
      error: `${OWN_OPTIONS.join(', ')} are set by the runner`,
    })
    .optional()
    .describe('Any other long option of sbatch: { "qos": "low", "exclusive": true }.'),
}); // prettier-ignore
export type SlurmSettings = z.infer<typeof SlurmSettings>;

const CommandTemplate = line.regex(/\{cmd\}/, 'a command line with {cmd} in it: "ssh box {cmd}"');

/** Settings of each runner, by its name. A new one is a key here and a module of `daemon/runs/runners`. */
export const RunnerSettings = { slurm: SlurmSettings, command: CommandTemplate } as const;
export type RunnerName = keyof typeof RunnerSettings;

/** The runner of a run with its settings; absent in a resolved plan: a process of this machine. */
export const Remote = z.union([z.strictObject({ slurm: SlurmSettings }), z.strictObject({ command: CommandTemplate })]);
export type Remote = z.infer<typeof Remote>;

/** The plan's key. */
export const RunOn = z.union([z.enum(['local', 'slurm']), Remote]);
export type RunOn = z.infer<typeof RunOn>;

export const runnerOf = (remote: Remote): RunnerName => ('slurm' in remote ? 'slurm' : 'command');

/** @returns undefined: this machine. */
export function remoteOf(runOn: RunOn | undefined): Remote | undefined {
  if (runOn === undefined || runOn === 'local') return undefined;
  return runOn === 'slurm' ? { slurm: {} } : runOn;
}

/** What a run that has ended before its time continues with, in place of its own. */
export interface Elsewhere {
  readonly engine?: string | undefined;
  readonly runOn?: RunOn | undefined;
}

/**
 * The runner when somebody names another place than the plan.
 * @param named undefined: nobody does. @param planned the plan's; its settings stay if "slurm" is named alone.
 * @returns undefined: this machine.
 */
export function placeOf(named: RunOn | undefined, planned: Remote | undefined): Remote | undefined {
  if (named === undefined) return planned;
  return named === 'slurm' && planned && 'slurm' in planned ? planned : remoteOf(named);
}

/** What its runner last reported of a run's job. */
export const JobState = z.object({
  on: z.enum(['slurm', 'command']),
  id: z.string(),
  state: z.enum(['pending', 'running', 'ended']),
  reason: z.string().optional(),
  node: z.string().optional(),
  until: z.number().optional(),
}) satisfies z.ZodType<State>;
export type JobState = z.infer<typeof JobState>;
