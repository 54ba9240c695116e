/**
 * The jobs of runs that are executed elsewhere: `.lcprune/jobs/<run>.json`, from the submission until the job has ended and its end is in the run's
 * log. So the folder names exactly the runs that a queue has.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { ensureFolder } from '../../files/makeFolder.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { isThere } from '../../files/isThere.js';
import { UserError } from '../../protocol/errors.js';
import { JobState } from '../../protocol/runs/runOn.js';
import { runsFolder } from '../../trainer/process/runFolder.js';

const Job = JobState.extend({
  /** '' while it is being submitted. */
  id: z.string(),
  /** File of what it prints, absolute. */
  output: z.string(),
  /** When it was submitted, by this machine's clock, in milliseconds since 1970. */
  submitted: z.number(),
  /** Time of the last state in the run's log before this job: a later one is of this job. null: none. */
  before: z.number().nullable(),
  /** The engine to continue with. Absent: the run's own. */
  engine: z.string().optional(),
  /** Name of a run that trains the same reference: the run begins with it. */
  shares: z.string().optional(),
});
export type Job = z.infer<typeof Job>;

/** @param folder of the run, absolute. */
const filesOf = (folder: string) => {
  const jobs = join(dirname(dirname(folder)), 'jobs');
  return { jobs, job: join(jobs, `${basename(folder)}.json`), stop: join(jobs, `${basename(folder)}.stop`) };
};

/** null: no queue has the run. @param folder of the run, absolute. */
export async function readJob(folder: string): Promise<Job | null> {
  const text = await readFile(filesOf(folder).job, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return Job.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Changes whenever the job's file does. @param folder of the run, absolute. */
export async function jobStamp(folder: string): Promise<string> {
  const found = await stat(filesOf(folder).job).catch(() => null);
  return found ? `${found.ino} ${found.mtimeMs}` : '';
}

/** @throws UserError('disk'). */
export async function writeJob(folder: string, job: Job): Promise<void> {
  const { jobs, job: file } = filesOf(folder);
  await ensureFolder(jobs);
  await writeFileAtomic(file, JSON.stringify(job));
}

/** The queue has the run no longer. */
export async function dropJob(folder: string): Promise<void> {
  const { job, stop } = filesOf(folder);
  await rm(job, { force: true });
  await rm(stop, { force: true });
}

/** Notes that the user wants the run to end: its worker then does not queue it again. @throws the system's error. */
export const markStop = (folder: string): Promise<void> => writeFileAtomic(filesOf(folder).stop, '');

export const isStopMarked = (folder: string): Promise<boolean> => isThere(filesOf(folder).stop);

/** Folders of all runs of a workspace that a queue has, absolute. @throws UserError('path-outside-workspace'). */
export async function runsWithJobs(workspace: string): Promise<string[]> {
  const runs = await runsFolder(workspace);
  const names = await readdir(join(dirname(runs), 'jobs')).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(runs, name.slice(0, -'.json'.length)));
}

/** "slurm job 12". */
export const jobName = ({ on, id }: Pick<Job, 'on' | 'id'>): string => `${on} job ${id || 'not yet named'}`;

/** @throws UserError('run-invalid') if a queue has the run. @param folder of the run, absolute. */
export async function requireNoJob(folder: string): Promise<void> {
  const job = await readJob(folder);
  if (job)
    throw new UserError(
      'run-invalid',
      `${basename(folder)} is in a queue (${jobName(job)}); stop it first: lc-prune stop ${basename(folder)}`,
    );
}
