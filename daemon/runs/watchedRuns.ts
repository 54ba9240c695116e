/** The runs of a workspace folder, kept up to date by checking for changes on disk, whichever process makes them. */
import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RunSummary } from '../protocol/messages.js';
import { lockOwner } from '../trainer/process/lock.js';
import { runPaths, runsFolder } from '../trainer/process/runFolder.js';
import { forgetLog } from './eventLog.js';
import { runNames, summaryOrReason } from './list/registry.js';
import { SummaryIndex } from './list/summaryIndex.js';
import { LIMITS } from './limits.js';
import { jobStamp } from './runners/jobs.js';

export interface Watching {
  /** Absolute folders of the runs whose trainers this process supervises: it reports those itself. */
  supervised(): readonly string[];
  /** A run was added, changed, or (null) removed; not called for the runs of the first check. */
  onChange(run: string, summary: RunSummary | null): void;
}

/** What a run looked like on disk when it was read. */
interface Stamp {
  /** null: so young that it may have changed since within one tick of its clock. */
  readonly folder: string | null;
  /** For an active run: its log, and the holder of its lock. */
  readonly work: string | null;
}
const UNKNOWN: Stamp = { folder: null, work: null };

interface Entry {
  readonly summary: RunSummary;
  readonly stamp: Stamp;
}

/** Folders read at the same time. */
const AT_ONCE = 16;

const isActive = ({ state }: RunSummary): boolean => state === 'running' || state === 'paused' || state === 'queued';

/**
 * A check costs one call of the file system, one for each resumable run, and for each active run whether its process lives and its log has grown. The
 * files of a run are read when one of these has changed; those of a finished run never again. Resuming takes the run's lock, which changes its
 * folder's modification time.
 */
export class WatchedRuns {
  readonly #entries = new Map<string, Entry>();
  readonly #index: SummaryIndex;
  /** Stamp of the folder of runs when its names were read. */
  #names: string | null = null;
  /** Seen, but not listed yet. */
  readonly #starting = new Set<string>();
  #next = 0;
  #looking: Promise<void> = Promise.resolve();
  #isFirst = true;

  constructor(
    readonly workspace: string,
    readonly watching: Watching,
  ) {
    this.#index = new SummaryIndex(workspace);
  }

  /** Newest first, as of now. @throws UserError('disk' | 'path-outside-workspace'). */
  async list(): Promise<RunSummary[]> {
    await this.look();
    const supervised = this.watching.supervised();
    const found = [...this.#entries.values()].map(({ summary }) => summary);
    const own = await Promise.all(supervised.map((folder) => summaryOrReason(folder, true)));
    const all = [...found.filter(({ folder }) => !supervised.includes(folder)), ...own.filter((one) => one !== null)];
    return all.sort((a, b) => b.started - a.started);
  }

  /** Reads every run again. */
  async reread(): Promise<RunSummary[]> {
    await this.#looking.catch(() => undefined);
    this.#names = null;
    this.#index.forget();
    for (const [run, { summary }] of this.#entries) {
      forgetLog(summary.folder);
      this.#entries.set(run, { summary, stamp: UNKNOWN });
    }
    return this.list();
  }

  /** Summaries that this process has reported itself, so that they are not reported twice. */
  report(run: string, summary: RunSummary | null): void {
    if (summary) this.#entries.set(run, { summary, stamp: UNKNOWN });
    else this.#entries.delete(run);
  }

  /**
   * Checks for changes and reports them. One check at a time. @throws UserError('disk'
   * 'path-outside-workspace').
   */
  look(): Promise<void> {
    const own = this.#looking.catch(() => undefined).then(() => this.#look());
    this.#looking = own;
    return own;
  }

  async #look(): Promise<void> {
    const runs = await runsFolder(this.workspace);
    const names = await this.#changedNames(runs);
    if (names) {
      for (const name of this.#entries.keys()) if (!names.includes(name)) this.#drop(name, join(runs, name));
      for (const name of this.#starting) if (!names.includes(name)) this.#starting.delete(name);
    }
    const wanted = names ?? this.#unsettled();
    for (let i = 0; i < wanted.length; i += AT_ONCE)
      await Promise.all(wanted.slice(i, i + AT_ONCE).map((name) => this.#update(name, join(runs, name))));
    await this.#index.save(new Set(this.#entries.keys()));
    this.#isFirst = false;
  }

  /** The names of all runs if a folder was added or removed since the last check, else null. */
  async #changedNames(runs: string): Promise<string[] | null> {
    const stats = await statOf(runs);
    const stamp = stats ? look(stats) : 'none';
    if (stamp !== null && stamp === this.#names) return null;
    this.#names = stamp;
    return runNames(runs);
  }

  /** Runs that may change without a change in the folder of runs. */
  #unsettled(): string[] {
    const due = [...this.#starting];
    const resumable: string[] = [];
    for (const [name, { summary, stamp }] of this.#entries) {
      if (isActive(summary) || stamp.folder === null) due.push(name);
      else if (summary.state !== 'done') resumable.push(name);
    }
    if (resumable.length <= LIMITS.resumableALook) return [...due, ...resumable];
    const from = this.#next % resumable.length;
    this.#next = from + LIMITS.resumableALook;
    return [...due, ...[...resumable, ...resumable].slice(from, this.#next)];
  }

  async #update(name: string, folder: string): Promise<void> {
    const isOurs = () => this.watching.supervised().includes(folder);
    if (isOurs()) return;
    const before = this.#entries.get(name);
    const stats = await statOf(folder);
    if (!stats?.isDirectory()) return this.#drop(name, folder);
    const stamp = await stampOf(folder, stats, before !== undefined && isActive(before.summary));
    if (before && stamp.folder !== null && stamp.folder === before.stamp.folder && stamp.work === before.stamp.work)
      return;
    if (!before && (await isStarting(folder, stats))) return void this.#starting.add(name);
    this.#starting.delete(name);
    const summary = await this.#index.summary(folder);
    // Deleted, or taken over by this process, while it was read.
    if (!summary || isOurs() || this.#entries.get(name) !== before) return;
    this.#entries.set(name, { summary, stamp: isActive(summary) ? stamp : { ...stamp, work: null } });
    if (!this.#isFirst && JSON.stringify(summary) !== JSON.stringify(before?.summary))
      this.watching.onChange(name, summary);
  }

  #drop(name: string, folder: string): void {
    this.#starting.delete(name);
    if (!this.#entries.delete(name)) return;
    forgetLog(folder);
    if (!this.#isFirst) this.watching.onChange(basename(folder), null);
  }
}

/** The stamp of a file or folder; null while it is so young that a further change may not show. */
function look({ ino, size, mtimeMs }: Stats): string | null {
  return Math.abs(Date.now() - mtimeMs) < LIMITS.coarseTime ? null : `${ino} ${size} ${mtimeMs}`;
}

const statOf = (path: string): Promise<Stats | null> => lstat(path).catch(() => null);

async function stampOf(path: string, stats: Stats, active: boolean): Promise<Stamp> {
  const { events, lock } = runPaths(path);
  const folder = look(stats);
  if (!active) return { folder, work: null };
  const [log, owner, job] = await Promise.all([statOf(events), lockOwner(lock), jobStamp(path)]);
  const written = log ? look(log) : '';
  return written === null ? UNKNOWN : { folder, work: `${written} ${owner?.pid ?? ''} ${job}` };
}

const isStarting = async (folder: string, { birthtimeMs }: Stats): Promise<boolean> =>
  Date.now() - birthtimeMs < LIMITS.startingTime &&
  !(await statOf(runPaths(folder).events)) &&
  (await jobStamp(folder)) === '';
