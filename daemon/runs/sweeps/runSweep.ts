/** Executes the points of a sweep, several at a time. Each is an ordinary run; the record names it before its trainer starts. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defaultThreads } from '../../engine/compiled/threads.js';
import { UserError } from '../../protocol/errors.js';
import type { RunEvent } from '../../protocol/events.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import type { SweepPoint, SweepRecord } from '../../protocol/runs/sweep.js';
import { takeLock } from '../../trainer/process/lock.js';
import { readRunPlan, runsFolder } from '../../trainer/process/runFolder.js';
import { baselinePlan } from '../baselinePlan.js';
import { comparisonOf } from '../comparison.js';
import { lastEvents } from '../eventLog.js';
import { resumeRun, startRun, type RunHandle, type RunOptions } from '../supervisor.js';
import { withReferenceOf } from './references.js';
import { watchForStop } from './stopSweep.js';
import { readRecord, sweepFiles, writeRecord } from './sweepFolder.js';

export interface SweepOptions {
  /** Absolute. */
  readonly workspace: string;
  /** The plan of a point. @throws UserError. */
  plan(point: SweepPoint): Promise<ResolvedPlan>;
  /** Checkpoints all runs and ends the sweep, to be continued later. */
  readonly signal: AbortSignal;
  /** Called when another process asks the sweep to end: aborts `signal`. */
  stop(): void;
  /** An event of the run of a point, or of a baseline after it. */
  onEvent?(point: number, event: RunEvent): void;
  /** A point is over: finished, failed, or stopped. */
  onEnd?(point: number, state: 'done' | 'failed' | 'stopped'): void;
  readonly trainer?: string;
}

/**
 * Runs all points that are not finished; those that failed before are tried again.
 * @param folder of the sweep, absolute.
 * @returns its record at the end. @throws UserError('run-invalid') while another process runs it; UserError('disk').
 */
export async function runSweep(folder: string, options: SweepOptions): Promise<SweepRecord> {
  const { lock, stop } = sweepFiles(folder);
  const release = await takeLock(lock, 'lc-prune');
  // A request to a process that is gone.
  await rm(stop, { force: true });
  const endWatch = watchForStop(folder, options.stop);
  try {
    return await new Sweep(folder, await readRecord(folder), await runsFolder(options.workspace), options).run();
  } finally {
    endWatch();
    await release();
  }
}

class Sweep {
  readonly #over = new Set<number>();
  readonly #threads: number;
  /** Ends the runs when the sweep cannot go on. */
  readonly #broken = new AbortController();
  readonly #signal: AbortSignal;
  #writing = Promise.resolve();

  constructor(
    readonly folder: string,
    private record: SweepRecord,
    readonly runs: string,
    readonly options: SweepOptions,
  ) {
    this.#signal = AbortSignal.any([options.signal, this.#broken.signal]);
    this.#threads = Math.max(1, Math.floor(defaultThreads() / record.parallel));
  }

  async run(): Promise<SweepRecord> {
    const pending = new Set(this.record.points.keys());
    const active = new Map<number, Promise<void>>();
    const isReady = (index: number): boolean => {
      const { sharesWith } = this.record.points[index]!;
      return sharesWith === undefined || this.#over.has(sharesWith);
    };
    try {
      for (;;) {
        const next = this.#signal.aborted ? undefined : [...pending].find(isReady);
        if (next !== undefined && active.size < this.record.parallel) {
          pending.delete(next);
          active.set(
            next,
            this.#point(next).finally(() => active.delete(next)),
          );
        } else if (active.size > 0) await Promise.race(active.values());
        else break;
      }
    } catch (error) {
      // The other runs write a checkpoint; what they know is not lost, and the caller hears of it now.
      this.#broken.abort();
      throw error;
    } finally {
      await Promise.allSettled([...active.values(), this.#writing]);
    }
    return this.record;
  }

  /** A point with its baselines. Its failure is kept in the record; others go on. @throws UserError('disk') if the record cannot be written. */
  async #point(index: number): Promise<void> {
    const { onEnd } = this.options;
    const signal = this.#signal;
    let state: 'done' | 'failed' | 'stopped' = 'done';
    try {
      const isDone = (await this.#own(index)) && (await this.#baselines(index));
      if (!isDone) state = 'stopped';
    } catch (error) {
      // A run that ends because all are stopped did not fail.
      state = signal.aborted ? 'stopped' : 'failed';
      if (!(error instanceof UserError)) throw error;
      if (state === 'failed') await this.#change(index, { failed: error.message });
    }
    this.#over.add(index);
    onEnd?.(index, state);
  }

  /** @returns false if it was stopped. @throws UserError if it failed. */
  async #own(index: number): Promise<boolean> {
    const point = this.record.points[index]!;
    if (point.failed !== undefined) await this.#change(index, { failed: undefined });
    const folder = point.run === null ? null : join(this.runs, basename(point.run));
    // A folder that the user has deleted is started anew.
    if (folder !== null && (await readRunPlan(folder).catch(() => null))) {
      if ((await lastEvents(folder)).state?.event === 'done') return true;
      return this.#follow(index, await resumeRun(folder, this.#runOptions()));
    }
    const plan = await this.#planOf(point);
    const hold = async (made: string) => {
      await this.#change(index, { run: basename(made) });
      return () => this.#change(index, { run: null });
    };
    return this.#follow(index, await startRun(plan, { ...this.#runOptions(), hold }));
  }

  async #planOf(point: SweepPoint): Promise<ResolvedPlan> {
    const plan = await this.options.plan(point);
    const first = point.sharesWith === undefined ? null : this.record.points[point.sharesWith]!.run;
    if (first === null) return plan;
    return withReferenceOf(join(this.runs, basename(first)), plan, this.options.workspace);
  }

  /** @returns false if one was stopped. */
  async #baselines(index: number): Promise<boolean> {
    const folder = join(this.runs, basename(this.record.points[index]!.run!));
    for (;;) {
      const { next } = await comparisonOf(folder);
      if (!next) return true;
      const handle =
        next.folder === null
          ? await startRun(await baselinePlan(folder, next.method, this.options), this.#runOptions())
          : await resumeRun(next.folder, this.#runOptions());
      if (!(await this.#follow(index, handle))) return false;
    }
  }

  /** @returns whether it finished; false: it was stopped. @throws UserError if it failed. */
  async #follow(index: number, handle: RunHandle): Promise<boolean> {
    const { onEvent } = this.options;
    const signal = this.#signal;
    const stop = () => void handle.stop('interrupted');
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const end = handle.onEvent((event) => onEvent?.(index, event));
    try {
      const last = await handle.done;
      if (last.event === 'failed')
        throw new UserError(last.code as UserError['code'], last.message, { file: handle.folder });
      return last.event === 'done';
    } finally {
      end();
      signal.removeEventListener('abort', stop);
    }
  }

  #runOptions(): RunOptions {
    const { workspace, trainer } = this.options;
    return { workspace, threads: this.#threads, ...(trainer !== undefined && { trainer }) };
  }

  /** Resolves when the record on disk has the change. */
  #change(index: number, change: { run?: string | null; failed?: string | undefined }): Promise<void> {
    const points = this.record.points.map((one, i) => {
      if (i !== index) return one;
      const { failed: _, ...kept } = one;
      const failed = 'failed' in change ? change.failed : one.failed;
      return { ...kept, ...('run' in change && { run: change.run! }), ...(failed !== undefined && { failed }) };
    });
    this.record = { ...this.record, points };
    const written = this.record;
    const own = this.#writing.catch(() => undefined).then(() => writeRecord(this.folder, written));
    this.#writing = own;
    return own;
  }
}
