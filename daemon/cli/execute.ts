/** Starts or continues a run where its plan says, and follows it to its end. */
import { basename } from 'node:path';
import { UserError } from '../protocol/errors.js';
import type { RunEvent } from '../protocol/events.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { Remote } from '../protocol/runs/runOn.js';
import { shellWord } from '../protocol/shellWord.js';
import { comparisonOf } from '../runs/comparison.js';
import { followJob } from '../runs/runners/followJob.js';
import { readJob } from '../runs/runners/jobs.js';
import { resubmitRun, submitRun } from '../runs/runners/submitRun.js';
import { resumeRun, startRun } from '../runs/supervisor.js';
import { doneOrThrow, follow, type Done } from './follow.js';
import { resumeCommand } from './resumeCommand.js';
import { createRunView } from './runView.js';
import type { Terminal } from './terminal.js';

export interface Executed {
  /** Of the run, absolute. */
  readonly folder: string;
  /** null: the user interrupted it, or left it to its queue. */
  readonly done: Done | null;
}

/** @throws UserError when it failed or cannot be started, TrainerEnded when a signal ended its trainer. */
export async function execute(plan: ResolvedPlan, workspace: string, terminal: Terminal): Promise<Executed> {
  if (plan.runOn) {
    const folder = await submitRun(plan, { workspace });
    return { folder, done: await followElsewhere(folder, terminal) };
  }
  const handle = await startRun(plan, { workspace });
  return { folder: handle.folder, done: await follow(handle, terminal) };
}

/**
 * Continues a run. One that a queue has is followed.
 * @param remote where; undefined: here. @param engine to continue with; undefined: its own.
 */
export async function executeAgain(
  folder: string,
  workspace: string,
  terminal: Terminal,
  { remote, engine, isMoved }: { remote: Remote | undefined; engine: string | undefined; isMoved: boolean },
): Promise<Done | null> {
  const isQueued = (await readJob(folder)) !== null;
  if (isQueued && (engine !== undefined || isMoved)) {
    const where = engine === undefined ? 'in another place' : 'on another engine';
    throw new UserError('run-invalid', `${basename(folder)} is in a queue; stop it first, then it can go on ${where}`);
  }
  if (isQueued) return followElsewhere(folder, terminal);
  if (!remote) return follow(await resumeRun(folder, { workspace, ...(engine !== undefined && { engine }) }), terminal);
  await resubmitRun(folder, { workspace, engine, remote });
  return followElsewhere(folder, terminal);
}

/** Follows a run that a queue has. Ctrl-C leaves it there. */
async function followElsewhere(folder: string, terminal: Terminal): Promise<Done | null> {
  const run = basename(folder);
  terminal.note(`submitted ${run}; Ctrl-C leaves it there: "${resumeCommand(folder)}" follows it again, "lc-prune stop ${shellWord(run)}" ends it`); // prettier-ignore
  terminal.emit({ event: 'submitted', run, folder });
  const view = createRunView(terminal);
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  process.on('SIGINT', leave);
  process.on('SIGTERM', leave);
  let last: RunEvent | null;
  try {
    last = await followJob(folder, {
      signal: leaving.signal,
      onEvent(event) {
        view(event);
        if (event.event !== 'done') terminal.emit(event);
      },
      onPlace(place) {
        terminal.status('');
        terminal.note(place);
        terminal.emit({ event: 'place', place });
      },
    });
  } finally {
    process.off('SIGINT', leave);
    process.off('SIGTERM', leave);
  }
  terminal.status('');
  if (last === null) {
    terminal.note(`left; it goes on. Follow it with: ${resumeCommand(folder)}`);
    return null;
  }
  const done = doneOrThrow(last, folder, terminal);
  // Its job runs its baselines; none is run here.
  if (done && (await comparisonOf(folder)).next)
    throw new UserError('run-invalid', `${run} is done, and a baseline of it is not; ${resumeCommand(folder)} runs it`);
  return done;
}
