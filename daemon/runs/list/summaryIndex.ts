/**
 * Summaries of runs that are not active, kept in one file of the workspace (`.lcprune/runs.index.json`). A list of a thousand runs then only asks the
 * disk for each one's stamp, and reads no log. The file can be deleted at any time; entries that are missing, stale or damaged are computed again.
 */
import type { Stats } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { RunSummary } from '../../protocol/messages.js';
import { lockOwner } from '../../trainer/process/lock.js';
import { runPaths } from '../../trainer/process/runFolder.js';
import { readJob } from '../runners/jobs.js';
import { summaryOrReason } from './registry.js';
import { placeOf } from './summary.js';
import { LIMITS } from '../limits.js';

/** Must be raised when `summarizeRun` or `note` return something else for the same files. */
const VERSION = 1;

/** Where a run lies is not kept: a workspace may be moved. */
const Kept = RunSummary.omit({ run: true, workspace: true, folder: true });
const Entry = z.object({ stamp: z.string(), summary: Kept });
type Entry = z.infer<typeof Entry>;
const File = z.object({ version: z.literal(VERSION), runs: z.record(z.string(), z.unknown()) });

const isAtRest = ({ state }: RunSummary): boolean => state !== 'running' && state !== 'paused' && state !== 'queued';

/** The file's identity, and attributes that change with it. '-': it does not exist; null: it may still be changing. */
function look(stats: Stats | null): string | null {
  if (!stats) return '-';
  const { ino, size, mtimeMs, ctimeMs } = stats;
  const newest = Math.max(mtimeMs, ctimeMs);
  return Math.abs(Date.now() - newest) < LIMITS.coarseTime ? null : `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** The stamps of the files that a summary is computed from; null: one may still be changing. */
async function stampOf(folder: string): Promise<string | null> {
  const { plan, events, marks } = runPaths(folder);
  const looks = await Promise.all([plan, events, marks].map(async (file) => look(await lstat(file).catch(() => null))));
  return looks.includes(null) ? null : looks.join('|');
}

export class SummaryIndex {
  readonly #file: string;
  #entries: Promise<Map<string, Entry>> | null = null;
  #isChanged = false;

  /** @param workspace absolute. */
  constructor(workspace: string) {
    this.#file = join(workspace, '.lcprune', 'runs.index.json');
  }

  /** A run by its files as they are now. A folder that cannot be read is a failed run, with the reason; null: it is gone. @param folder absolute. */
  async summary(folder: string): Promise<RunSummary | null> {
    const entries = await (this.#entries ??= this.#load());
    // Read before its files: a run that is resumed in between counts as not active, as of now.
    if (await lockOwner(runPaths(folder).lock)) return summaryOrReason(folder);
    const name = basename(folder);
    const stamp = await stampOf(folder);
    const known = entries.get(name);
    // A queue may have a run whose files are as they were; that of a finished one changes nothing.
    if (stamp !== null && known?.stamp === stamp && (known.summary.state === 'done' || !(await readJob(folder))))
      return { ...placeOf(folder), ...known.summary };
    const summary = await summaryOrReason(folder);
    // A file that changed while it was read has another stamp next time.
    if (summary && isAtRest(summary) && stamp !== null) this.#keep(entries, name, stamp, summary);
    else if (entries.delete(name)) this.#isChanged = true;
    return summary;
  }

  /** Forgets everything: every run's files are read again. */
  forget(): void {
    this.#entries = Promise.resolve(new Map());
    this.#isChanged = true;
  }

  /**
   * Writes the summaries for the next process. If the disk cannot be written, the next list is slower, nothing else.
   * @param names of the existing runs; the others are forgotten.
   */
  async save(names: ReadonlySet<string>): Promise<void> {
    const entries = await (this.#entries ??= this.#load());
    for (const name of entries.keys()) if (!names.has(name) && entries.delete(name)) this.#isChanged = true;
    if (!this.#isChanged) return;
    this.#isChanged = false;
    // No folder of runs: nothing to index.
    if (!(await lstat(dirname(this.#file)).catch(() => null))?.isDirectory()) return;
    const text = JSON.stringify({ version: VERSION, runs: Object.fromEntries(entries) });
    await writeFileAtomic(this.#file, text).catch(() => undefined);
  }

  #keep(entries: Map<string, Entry>, name: string, stamp: string, summary: RunSummary): void {
    const { run: _run, workspace: _workspace, folder: _folder, ...kept } = summary;
    entries.set(name, { stamp, summary: kept });
    this.#isChanged = true;
  }

  async #load(): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>();
    try {
      const { runs } = File.parse(JSON.parse(await readFile(this.#file, 'utf8')));
      for (const [name, value] of Object.entries(runs)) {
        const entry = Entry.safeParse(value);
        if (entry.success) entries.set(name, entry.data);
      }
    } catch {
      // The file is missing, of another version, or damaged.
    }
    return entries;
  }
}
