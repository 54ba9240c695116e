/** Changes of runs on disk that are noticed, and the few disk accesses that this takes. */
import { appendFile, mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { UntimedRunEvent } from '../../../daemon/protocol/events.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { listRuns } from '../../../daemon/runs/list/listRuns.js';
import { WatchedRuns } from '../../../daemon/runs/watchedRuns.js';
import { openEventWriter } from '../../../daemon/trainer/log/eventWriter.js';
import { takeLock } from '../../../daemon/trainer/process/lock.js';
import { createRunFolder, runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { PLAN } from '../trainer/fakeRun.js';

/** Number of file system calls since the last reset, by kind. */
const asked = vi.hoisted(() => ({ open: 0, readFile: 0, lstat: 0, readdir: 0 }));
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const counted = (name: keyof typeof asked) =>
    function (...args: unknown[]) {
      asked[name] += 1;
      return (fs[name] as (...all: unknown[]) => unknown)(...args);
    };
  return { ...fs, open: counted('open'), readFile: counted('readFile'), lstat: counted('lstat'), readdir: counted('readdir') }; // prettier-ignore
});

let workspace: string;
let changes: [string, RunSummary['state'] | null][];
let supervised: string[];
let watched: WatchedRuns;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'watched-'));
  changes = [];
  supervised = [];
  watched = new WatchedRuns(workspace, {
    supervised: () => supervised,
    onChange: (run, summary) => changes.push([run, summary && summary.state]),
  });
});
afterEach(() => rm(workspace, { recursive: true }));

const NOON = Date.UTC(2026, 0, 2, 12, 0, 0);
const start: UntimedRunEvent = {
  event: 'start',
  run: 'r',
  plan: 'p',
  method: 'lc',
  engine: 'native-cpu',
  device: 'CPU',
  seed: 1,
  weights: 100,
  prunable: 80,
  kappa: 8,
  totalSteps: 2000,
  resumed: false,
};
const evaluation = { loss: 0.5, error: 0.25, samples: 100 };
const done: UntimedRunEvent = {
  event: 'done',
  reference: evaluation,
  theta: evaluation,
  retrained: evaluation,
  kept: 8,
  prunable: 80,
  perLayer: [],
  seconds: 60,
  folder: '.',
};
const batch = (step: number): UntimedRunEvent => ({ event: 'batch', phase: 'l-step', iteration: 0, step, epoch: step / 100, loss: 1 / step, learningRate: 0.1, samplesPerSecond: 1000 }); // prettier-ignore

async function made(events: UntimedRunEvent[], time = NOON): Promise<string> {
  const folder = await createRunFolder(workspace, PLAN, time);
  const writer = openEventWriter(runPaths(folder).events, { bytes: 0, events: 0 }, () => time);
  for (const event of events) writer.write(event);
  writer.close();
  return folder;
}

/** Makes it look old. */
const age = async (...paths: string[]) => {
  for (const path of paths) await utimes(path, new Date(NOON), new Date(NOON));
};
const runsOf = () => join(workspace, '.lcprune', 'runs');
const nameOf = (folder: string) => folder.split(/[/\\]/).at(-1)!;
const forget = () => Object.assign(asked, { open: 0, readFile: 0, lstat: 0, readdir: 0 });

describe('a thousand finished runs', () => {
  it('are listed within a second, and looking again reads none of their files', async () => {
    const events = [start, ...Array.from({ length: 500 }, (_, i) => batch(i + 1)), done];
    for (let i = 0; i < 1000; i++) await age(await made(events, NOON + 1000 * i));
    await age(runsOf());
    let seconds = Infinity;
    // The best of three first looks, in time of the processor: other work of the machine is not the list's.
    for (let i = 0; i < 3; i++) {
      const first = new WatchedRuns(workspace, watched.watching);
      const began = process.cpuUsage();
      await first.list();
      const { user, system } = process.cpuUsage(began);
      seconds = Math.min(seconds, (user + system) / 1e6);
    }
    forget();
    const runs = await watched.list();
    expect(asked.open + asked.readFile).toBeLessThan(7 * 1000);
    expect(runs).toHaveLength(1000);
    expect(runs.every(({ state, kept }) => state === 'done' && kept === 8)).toBe(true);
    expect(seconds).toBeLessThan(1);
    forget();
    await watched.look();
    await watched.list();
    expect(asked).toMatchObject({ open: 0, readFile: 0, readdir: 0 });
    expect(asked.lstat).toBeLessThan(10);

    // One run was added: the others are checked, but not read.
    await made([start, done], NOON - 5000);
    forget();
    await watched.look();
    expect(changes).toEqual([[expect.stringContaining('2026-01-02T11-59-55'), 'done']]);
    expect(asked.open + asked.readFile).toBeLessThan(10);
    await watched.reread();
    expect(asked.readFile).toBeGreaterThan(1000);
    expect(await watched.list()).toEqual(await listRuns(workspace));
  });
});

describe('a look', () => {
  it('reports what is new, what changed and what is gone, and nothing of what the first one found', async () => {
    const first = await made([start]);
    expect(await watched.list()).toMatchObject([{ run: nameOf(first), state: 'interrupted' }]);
    expect(changes).toEqual([]);
    const second = await made([start], NOON + 1000);
    await watched.look();
    await watched.look();
    expect(changes).toEqual([[nameOf(second), 'interrupted']]);
    const release = await takeLock(runPaths(first).lock);
    await watched.look();
    await release();
    await watched.look();
    await rm(second, { recursive: true });
    await watched.look();
    expect(changes.slice(1)).toEqual([
      [nameOf(first), 'running'],
      [nameOf(first), 'interrupted'],
      [nameOf(second), null],
    ]);
    await rename(first, `${first}-by-hand`);
    await watched.look();
    expect(changes.slice(4).sort()).toEqual([
      [nameOf(first), null],
      [`${nameOf(first)}-by-hand`, 'interrupted'],
    ]);
    await rm(join(workspace, '.lcprune'), { recursive: true });
    expect(await watched.list()).toEqual([]);
  });

  it('sees an old run that is resumed, also among more resumable ones than one look goes through', async () => {
    const folders: string[] = [];
    for (let i = 0; i < 1100; i++) folders.push(await made([start], NOON + 1000 * i));
    await age(...folders, runsOf());
    await watched.list();
    forget();
    await watched.look();
    expect(asked.open + asked.readFile).toBe(0);
    expect(asked.lstat).toBeLessThan(600);
    const release = await takeLock(runPaths(folders[7]!).lock);
    for (let i = 0; i < 3; i++) await watched.look();
    expect(changes).toEqual([[nameOf(folders[7]!), 'running']]);
    await release();
  });

  it('follows a run at work by its log, and reads it only when that has grown', async () => {
    const folder = await made([start, batch(1)]);
    const release = await takeLock(runPaths(folder).lock);
    await age(folder, runsOf(), runPaths(folder).events);
    await watched.list();
    await watched.look();
    forget();
    await watched.look();
    // Only its lock and its process are checked, never the log.
    expect(asked.open).toBe(0);
    await appendFile(runPaths(folder).events, `${JSON.stringify({ ...batch(1000), time: NOON + 5 })}\n`);
    await watched.look();
    expect(changes).toEqual([[nameOf(folder), 'running']]);
    expect((await watched.list())[0]!.progress).toBe(0.5);
    await release();
  });

  it('does not list a run before training begins, nor one that failed to start; what is left of it later is listed', async () => {
    await watched.list();
    const folder = await createRunFolder(workspace, PLAN, NOON);
    await watched.look();
    expect(await watched.list()).toEqual([]);
    await rm(folder, { recursive: true });
    await watched.look();
    expect(changes).toEqual([]);
    const again = await createRunFolder(workspace, PLAN, NOON);
    await watched.look();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 11_000);
    await watched.look();
    clock.mockRestore();
    expect(changes).toEqual([[nameOf(again), 'interrupted']]);
  });

  it("leaves this process's own runs alone, but for the list", async () => {
    const folder = await made([start]);
    supervised = [folder];
    await watched.look();
    expect(await watched.list()).toMatchObject([{ run: nameOf(folder), state: 'running' }]);
    supervised = [];
    await watched.look();
    expect(changes).toEqual([[nameOf(folder), 'interrupted']]);
    // Deleted by hand under its trainer: no reason to list nothing at all.
    const other = await made([start], NOON + 1000);
    supervised = [folder];
    await rm(folder, { recursive: true });
    expect(await watched.list()).toMatchObject([{ run: nameOf(other) }]);
  });

  it('is not stopped by a folder that is not a run, or by another kind of file in its place', async () => {
    await mkdir(join(runsOf(), 'junk'), { recursive: true });
    await writeFile(join(runsOf(), 'junk', 'events.jsonl'), 'junk');
    expect(await watched.list()).toMatchObject([{ run: 'junk', state: 'failed' }]);
    await rm(join(runsOf(), 'junk'), { recursive: true });
    await writeFile(join(runsOf(), 'junk'), 'a file');
    await wait(10);
    expect(await watched.list()).toEqual([]);
  });
});
