/** The index of runs at rest: it answers in place of their logs, and never with what is not so any more. */
import { appendFile, mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { UntimedRunEvent } from '../../../daemon/protocol/events.js';
import { listRuns } from '../../../daemon/runs/list/listRuns.js';
import { summaryOrReason } from '../../../daemon/runs/list/registry.js';
import { openEventWriter } from '../../../daemon/trainer/log/eventWriter.js';
import { takeLock } from '../../../daemon/trainer/process/lock.js';
import { createRunFolder, runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { PLAN } from '../trainer/fakeRun.js';

/** Times of change (ctime) cannot be set, so these tests move the clock: for the index they run some seconds after their files were written. */
const LATER = 10_000;
const opened = vi.hoisted(() => ({ logs: [] as string[] }));
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  return {
    ...fs,
    open: (...args: Parameters<typeof fs.open>) => {
      if (String(args[0]).endsWith('events.jsonl')) opened.logs.push(String(args[0]));
      return fs.open(...args);
    },
  };
});

const NOON = Date.UTC(2026, 0, 2, 12);
const evaluation = { loss: 0.5, error: 0.25, samples: 100 };
const start: UntimedRunEvent = { event: 'start', run: 'r', plan: 'p', method: 'lc', engine: 'native-cpu', device: 'CPU', seed: 1, weights: 100, prunable: 80, kappa: 8, totalSteps: 2000, resumed: false }; // prettier-ignore
const done: UntimedRunEvent = { event: 'done', reference: evaluation, theta: evaluation, retrained: evaluation, kept: 8, prunable: 80, perLayer: [], seconds: 60, folder: '.' }; // prettier-ignore

let workspace: string;
const indexFile = () => join(workspace, '.lcprune', 'runs.index.json');
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'index-'));
  opened.logs.length = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(workspace, { recursive: true });
});

async function made(events: readonly UntimedRunEvent[], time = NOON): Promise<string> {
  const folder = await createRunFolder(workspace, PLAN, time);
  const writer = openEventWriter(runPaths(folder).events, { bytes: 0, events: 0 }, () => time);
  for (const event of events) writer.write(event);
  writer.close();
  return folder;
}
/** Lists runs some seconds later, in another process. */
async function listed(after = LATER) {
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + after);
  try {
    return await listRuns(workspace);
  } finally {
    now.mockRestore();
  }
}
/** The true summaries, without any index. */
const truth = async (folder: string) => summaryOrReason(folder);

it('a second list opens no log and is equal', async () => {
  for (let i = 0; i < 5; i++) await made([start, done], NOON + 1000 * i);
  const first = await listed();
  expect(opened.logs).toHaveLength(5);
  opened.logs.length = 0;
  expect(await listed()).toEqual(first);
  expect(opened.logs).toEqual([]);
  expect(first.map(({ state, kept, seconds }) => [state, kept, seconds])).toEqual(Array(5).fill(['done', 8, 60]));
});

it('what may still be changing is not kept', async () => {
  await made([start, done]);
  await listed(0);
  opened.logs.length = 0;
  await listed();
  expect(opened.logs.length).toBeGreaterThan(0);
});

describe('what has changed is read again', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await made([start, { event: 'stopped', step: 10, reason: 'user', resume: 'r' }]);
    expect(await listed()).toMatchObject([{ state: 'stopped' }]);
  });

  it('a run that was taken up: while it works, and when it has ended', async () => {
    const release = await takeLock(runPaths(folder).lock);
    expect(await listed()).toMatchObject([{ state: 'running' }]);
    await appendFile(runPaths(folder).events, `${JSON.stringify({ ...done, time: NOON + 5 })}\n`);
    await release();
    expect(await listed()).toMatchObject([{ state: 'done', kept: 8 }]);
    expect(await listed()).toEqual([await truth(folder)]);
  });

  it('a log of the same size and time of modification, but other words', async () => {
    const { events } = runPaths(folder);
    const text = await readFile(events, 'utf8');
    const { mtime } = await stat(events);
    await writeFile(events, text.replace('"reason":"user"', '"reason":"usre"'));
    await utimes(events, mtime, mtime);
    expect(await listed()).toMatchObject([{ state: 'interrupted' }]);
  });

  it('a log in place of another', async () => {
    const other = await made([start, done], NOON + 1000);
    await rename(runPaths(other).events, runPaths(folder).events);
    await rm(other, { recursive: true });
    expect(await listed()).toMatchObject([{ state: 'done' }]);
  });

  it('a run that is gone, and another of its name', async () => {
    await rm(folder, { recursive: true });
    expect(await listed()).toEqual([]);
    expect(JSON.parse(await readFile(indexFile(), 'utf8'))).toMatchObject({ runs: {} });
    const again = await made([start, done]);
    expect(basename(again)).toBe(basename(folder));
    expect(await listed()).toMatchObject([{ state: 'done' }]);
  });

  it('a workspace that has moved', async () => {
    const moved = `${workspace}-moved`;
    await rename(workspace, moved);
    workspace = moved;
    const [run] = await listed();
    expect(run).toMatchObject({ workspace: moved, folder: join(moved, '.lcprune', 'runs', basename(folder)) });
  });
});

it.each([
  ['nothing', ''],
  ['no JSON', '{"version": 1, "runs": {'],
  ['another version', '{"version": 0, "runs": {}}'],
  ['no index', '[1, 2]'],
  ['entries of another kind', 'ENTRY'],
])('an index that is damaged (%s) is as good as none, and mended', async (_what, text) => {
  const folder = await made([start, done]);
  const first = await listed();
  const whole = JSON.parse(await readFile(indexFile(), 'utf8')) as { runs: Record<string, object> };
  const broken = {
    ...whole,
    runs: { [basename(folder)]: { ...whole.runs[basename(folder)], summary: { state: 'done' } } },
  };
  await writeFile(indexFile(), text === 'ENTRY' ? JSON.stringify(broken) : text);
  expect(await listed()).toEqual(first);
  expect(JSON.parse(await readFile(indexFile(), 'utf8'))).toEqual(whole);
});
