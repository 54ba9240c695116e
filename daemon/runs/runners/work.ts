/** What a job of a runner does: it executes a run and its baselines, writes a checkpoint when it is asked to end, and says whether to go on later. */
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { UserError } from '../../protocol/errors.js';
import { appendEvent } from '../../trainer/log/appendEvent.js';
import { writeReport } from '../../trainer/log/report.js';
import { lockOwner } from '../../trainer/process/lock.js';
import { readRunPlan, runPaths } from '../../trainer/process/runFolder.js';
import { baselinePlan } from '../baselinePlan.js';
import { comparisonOf } from '../comparison.js';
import { TrainerEnded } from '../ending.js';
import { lastEvents } from '../eventLog.js';
import { LIMITS } from '../limits.js';
import { withReferenceOf } from '../sweeps/references.js';
import { resumeRun, startRun, takeUpRun, type RunHandle } from '../supervisor.js';
import { isStopMarked, readJob } from './jobs.js';
import { TRY_AGAIN } from './script.js';

interface Working {
  /** Absolute. */
  readonly workspace: string;
  /** A line for the job's output. */
  say(text: string): void;
  readonly trainer?: string;
}

/** Signals that a queue, a shell or a closed connection sends. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/**
 * @param folder of the run, absolute.
 * @returns the exit code: 0 finished, or stopped by its user; 2 failed, with the reason in its log; TRY_AGAIN: it was asked to end.
 */
export async function work(folder: string, working: Working): Promise<number> {
  const job = new Work(folder, working);
  const end = () => void job.end();
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    return await job.run();
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}

class Work {
  #handle: RunHandle | null = null;
  #isEnding = false;

  constructor(
    readonly folder: string,
    readonly working: Working,
  ) {}

  /** Ends what runs, with a checkpoint. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.working.say('asked to end: writing a checkpoint');
    await this.#handle?.stop((await isStopMarked(this.folder)) ? 'user' : 'shutdown');
  }

  async run(): Promise<number> {
    const { folder } = this;
    const { workspace, say } = this.working;
    say(`${basename(folder)} on ${hostname()}, process ${process.pid}`);
    try {
      await this.#untilFree();
      await this.#share();
      const isDone = (await lastEvents(folder)).state?.event === 'done';
      const engine = (await readJob(folder))?.engine;
      const options = { ...this.#options(), ...(engine !== undefined && { engine }) };
      if (!isDone && !(await this.#follow(() => takeUpRun(folder, options)))) return await this.#code();
      for (;;) {
        const { subject, finished, next } = await comparisonOf(folder);
        if (!next) {
          const others = finished.map((one) => one.folder);
          if (others.length > 0) await writeReport(subject, { workspace, others });
          say('done');
          return 0;
        }
        const begin = async () =>
          next.folder === null
            ? startRun(await baselinePlan(subject, next.method, { workspace }), this.#options())
            : resumeRun(next.folder, this.#options());
        if (!(await this.#follow(begin))) return await this.#code();
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      say(`error: ${error.message}`);
      const { code, message } = error;
      // A run that did not begin has no other record of the reason.
      if ((await lastEvents(folder)).start === null)
        await appendEvent(folder, { event: 'failed', code, message }).catch(() => undefined);
      return 2;
    }
  }

  #options() {
    const { workspace, trainer, say } = this.working;
    return { workspace, onOutput: say, ...(trainer !== undefined && { trainer }) };
  }

  /** After a run has been ended: whether the queue is to go on with it. */
  async #code(): Promise<number> {
    const isOver = await isStopMarked(this.folder);
    this.working.say(isOver ? 'stopped' : 'to be continued');
    return isOver ? 0 : TRY_AGAIN;
  }

  /** @returns false if it was stopped. @throws UserError if it failed. */
  async #follow(start: () => Promise<RunHandle>): Promise<boolean> {
    if (this.#isEnding) return false;
    let handle: RunHandle;
    try {
      handle = await start();
    } catch (error) {
      // The queue's signal reached the trainer too, before it could obey.
      if (this.#isEnding && error instanceof TrainerEnded) return false;
      throw error;
    }
    this.#handle = handle;
    if (this.#isEnding) await this.end();
    handle.onEvent((event) => {
      if (event.event === 'iteration') this.working.say(`${handle.id}: iteration ${event.iteration + 1} of ${event.iterations}`); // prettier-ignore
      if (event.event === 'warning') this.working.say(`${handle.id}: ${event.message}`);
    });
    const last = await handle.done;
    this.#handle = null;
    if (last.event === 'failed' && this.#isEnding && last.ending?.cause === 'killed') return false;
    if (last.event === 'failed') throw new UserError(last.code as UserError['code'], last.message);
    return last.event === 'done';
  }

  /** The trainer before may have been killed on another machine: its lock is free when it has been silent for long. */
  async #untilFree(): Promise<void> {
    const { lock } = runPaths(this.folder);
    for (const end = performance.now() + LIMITS.lockWait; performance.now() < end; await wait(LIMITS.followInterval))
      if (this.#isEnding || (await lockOwner(lock)) === null) return;
  }

  /** A point of a sweep begins with the reference that another point has trained. */
  async #share(): Promise<void> {
    const shares = (await readJob(this.folder))?.shares;
    if (shares === undefined || (await lastEvents(this.folder)).start !== null) return;
    const plan = await readRunPlan(this.folder);
    const first = join(dirname(this.folder), basename(shares));
    const shared = await withReferenceOf(first, plan, this.working.workspace);
    await writeFileAtomic(runPaths(this.folder).plan, `${JSON.stringify(shared, null, 2)}\n`);
  }
}
