/** Hands runs over to the runner of their plan. */
import { realpath, rm } from 'node:fs/promises';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { runnerOf, type Remote } from '../../protocol/runs/runOn.js';
import { createRunFolder, readRunPlan } from '../../trainer/process/runFolder.js';
import { lastEvents } from '../eventLog.js';
import { requireResumable } from '../list/resumable.js';
import { dropJob, writeJob, type Job } from './jobs.js';
import { submitTo } from './registry.js';

interface Task {
  /** The run's folder, absolute; it has its plan. */
  readonly folder: string;
  readonly engine?: string;
  readonly shares?: string;
}

interface Handing {
  readonly workspace: string;
  /** Folder of the script and the output, absolute. */
  readonly folder: string;
  readonly name: string;
  /** Ids of jobs that must end before. */
  readonly after?: readonly string[];
  /** Tasks that may run at the same time. Default: as many as there is room for. */
  readonly atOnce?: number;
}

/**
 * Submits all of these runs at once. Each has its job's record before its job may begin.
 * @returns the ids of their jobs. @throws UserError that says what was refused; no queue has any of them then.
 */
export async function handOver(tasks: readonly Task[], remote: Remote, handing: Handing): Promise<string[]> {
  const workspace = await realpath(handing.workspace);
  const jobs: Job[] = [];
  try {
    for (const { folder, engine, shares } of tasks) {
      const job: Job = {
        on: runnerOf(remote),
        id: '',
        state: 'pending',
        output: '',
        submitted: Date.now(),
        before: (await lastEvents(folder)).state?.time ?? null,
        ...(engine !== undefined && { engine }),
        ...(shares !== undefined && { shares }),
      };
      jobs.push(job);
      await writeJob(folder, job);
    }
    const { folder, name, after = [], atOnce } = handing;
    const limit = atOnce === undefined ? {} : { atOnce };
    const whole = { name, folder, after, ...limit, tasks: tasks.map((task) => ({ folder: task.folder, workspace })) };
    const submitted = await submitTo(remote, whole);
    for (const [i, job] of jobs.entries()) await writeJob(tasks[i]!.folder, { ...job, ...submitted[i]! });
    return submitted.map(({ id }) => id);
  } catch (error) {
    for (const { folder } of tasks) await dropJob(folder);
    throw error;
  }
}

/**
 * Makes the folder of a run and submits it.
 * @returns its folder, absolute. @throws UserError that says what was refused; nothing is left on disk then.
 */
export async function submitRun(plan: ResolvedPlan, { workspace }: { workspace: string }): Promise<string> {
  const remote = requireRemote(plan);
  const folder = await createRunFolder(workspace, plan, Date.now());
  try {
    await handOver([{ folder }], remote, { workspace, folder, name: plan.name });
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Submits a run again that has ended before its time.
 * @param remote where; default: where its plan says. @param engine to continue with; default: its own.
 * @throws UserError('run-invalid') if a trainer or a queue has it, or it is done.
 */
export async function resubmitRun(
  folder: string,
  { workspace, engine, remote }: { workspace: string; engine?: string | undefined; remote?: Remote | undefined },
): Promise<void> {
  const plan = await readRunPlan(folder);
  await requireResumable(folder);
  const task = { folder, ...(engine !== undefined && { engine }) };
  await handOver([task], remote ?? requireRemote(plan), { workspace, folder, name: plan.name });
}

function requireRemote({ name, runOn }: ResolvedPlan): Remote {
  if (!runOn) throw new UserError('run-invalid', `${name}: "runOn" names no runner; set it to "slurm" or a command`);
  return runOn;
}
