/**
 * Runs that this daemon did not start: a process of its own supervises their trainer (the product's, over the fake engine),
 * as the command line does. One run is the real command's.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { BatchColumns, RunSummary } from '../../../daemon/protocol/messages.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { TINY_PLAN, tinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { PLAN } from '../../unit/trainer/fakeRun.js';
import { bundleTrainer, type Bundle } from '../trainer/bundle.js';
import { Client, Daemon, temporaryFolder } from './harness.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
let trainer: Bundle;
let supervise: Bundle;
let workspace: string;
let daemon: Daemon;
let client: Client;
let serial = 0;
const owners: ChildProcess[] = [];

beforeAll(async () => {
  scratch = await temporaryFolder();
  script = await bundle('test/fixtures/daemon/fakeDaemon.ts', join(scratch.path, 'dist'));
  trainer = await bundleTrainer('test/integration/trainer/fakeTrainer.ts');
  supervise = await bundleTrainer('test/integration/trainer/supervise.ts');
});
beforeEach(async () => {
  workspace = join(scratch.path, `workspace${serial++}`);
  await mkdir(workspace);
  daemon = await Daemon.start(script, { env: { FAKE_TRAINER: trainer.path, FAKE_STEP_MS: '10' } });
  client = await daemon.client([workspace]);
});
afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  await daemon.close();
  expect(daemon.stderr).not.toMatch(/uncaught|unhandled/i);
});
afterAll(async () => {
  await Promise.all([trainer.remove(), supervise.remove(), scratch.remove()]);
});

interface Other {
  readonly owner: ChildProcess;
  /** Process id of the trainer. */
  readonly pid: number;
  readonly run: string;
  readonly folder: string;
}

/** Starts (or with `run` resumes) a run under a process of its own; resolves when it trains. */
async function elsewhere({ stepMs = 10, run = '' } = {}): Promise<Other> {
  const plan = join(workspace, 'plan.json');
  await writeFile(plan, JSON.stringify({ ...PLAN, schedule: { ...PLAN.schedule, tolerance: 0 } }));
  const args = [supervise.path, plan, workspace, trainer.path, ...(run ? [run] : [])];
  const env = { ...process.env, FAKE_STEP_MS: String(stepMs) };
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  owners.push(owner);
  const [line] = (await once(owner.stdout!.setEncoding('utf8'), 'data')) as [string];
  const [name] = run ? [run] : await readdir(join(workspace, '.lcprune', 'runs'));
  return { owner, pid: Number(line), run: name!, folder: join(workspace, '.lcprune', 'runs', name!) };
}

const summariesOf = (run: string): (RunSummary | null)[] =>
  client.received.flatMap(({ method, params }) => {
    const change = params as { run: string; summary: RunSummary | null };
    return method === 'lc/runChanged' && change.run === run ? [change.summary] : [];
  });

const statesOf = (run: string) => {
  const states = summariesOf(run).map((summary) => summary?.state ?? 'gone');
  return states.filter((state, i) => state !== states[i - 1]);
};

async function until(run: string, state: RunSummary['state'] | 'gone', timeout: number): Promise<void> {
  await client
    .waitFor(() => statesOf(run).at(-1) === state, 0, timeout)
    .catch(() => {
      throw new Error(
        `not ${state} within ${timeout} ms, but ${statesOf(run).join()}; the daemon says: ${daemon.stderr}`,
      );
    });
}

const logged = async (folder: string): Promise<RunEvent[]> =>
  (await readFile(join(folder, 'events.jsonl'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as RunEvent); // prettier-ignore

type Batch = Extract<RunEvent, { event: 'batch' }>;
const isBatch = (event: RunEvent): event is Batch => event.event === 'batch';
const CURVE = ['step', 'epoch', 'loss', 'learningRate', 'samplesPerSecond', 'time'] as const;

/** What the connection got live. */
function live(run: string) {
  const events: RunEvent[] = [];
  const curve: Record<(typeof CURVE)[number], (number | null)[]> = { step: [], epoch: [], loss: [], learningRate: [], samplesPerSecond: [], time: [] }; // prettier-ignore
  for (const { method, params } of client.received) {
    if ((params as { run?: string } | undefined)?.run !== run) continue;
    if (method === 'lc/events') events.push(...(params as { events: RunEvent[] }).events);
    if (method === 'lc/batches') for (const name of CURVE) curve[name].push(...(params as BatchColumns)[name]);
  }
  return { events, curve };
}

const curveOf = (batches: readonly Batch[]) =>
  Object.fromEntries(CURVE.map((name) => [name, batches.map((event) => event[name])]));

/** History as it was right after subscribing, and what came live, are the log: every event and every batch once. */
async function expectWhole(run: string, folder: string, history: readonly RunEvent[]): Promise<void> {
  const log = await logged(folder);
  const { events, curve } = live(run);
  const isNew = (event: RunEvent) => !history.some((old) => JSON.stringify(old) === JSON.stringify(event));
  const lastStep = history.filter(isBatch).at(-1)?.step ?? 0;
  const from = curve.step.findIndex((step) => step! > lastStep);
  expect(from).toBeGreaterThanOrEqual(0);
  const tail = Object.fromEntries(CURVE.map((name) => [name, curve[name].slice(from)]));
  expect(tail).toEqual(curveOf(log.filter(isBatch).filter(({ step }) => step > lastStep)));
  expect([...history.filter((event) => !isBatch(event)), ...events.filter(isNew)]).toEqual(
    log.filter((event) => !isBatch(event)),
  );
}

describe('a run that another process started', () => {
  it('appears within two seconds, advances, finishes; its curves are live and equal to the log', async () => {
    expect(await client.ask('lc/runs', null)).toEqual([]);
    const { run, folder } = await elsewhere();
    const began = performance.now();
    await until(run, 'running', 10_000);
    expect(performance.now() - began).toBeLessThan(2500);
    await client.ask('lc/subscribe', { run, on: true });
    const { events: history } = await client.ask('lc/history', { run, from: 0, limit: 100_000 });
    await until(run, 'done', 60_000);
    const shown = summariesOf(run).map((summary) => summary!.progress);
    expect(new Set(shown).size).toBeGreaterThan(3);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
    await client.waitFor(() => live(run).events.at(-1)?.event === 'done');
    await wait(200);
    await expectWhole(run, folder, history);
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'done', progress: 1 }]);
  });

  it('is steered: paused, continued, given a budget, stopped; what cannot be done names who runs it', async () => {
    const { run, owner, pid, folder } = await elsewhere({ stepMs: 30 });
    const ended = once(owner, 'exit');
    await client.ask('lc/pause', { run });
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'paused' }]);
    await client.ask('lc/resume', { run });
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'running' }]);
    const text = `process ${pid} (lc-prune in a terminal)`;
    // A budget is taken, or refused by the trainer's own words.
    const impossible = await client.refused('lc/setBudget', { run, budget: { weights: 1000 } });
    expect(impossible.data).toMatchObject({ code: 'budget-impossible' });
    await client.ask('lc/setBudget', { run, budget: { weights: 6 } });
    const refusals = [
      await client.refused('lc/rename', { run, name: 'other' }),
      await client.refused('lc/delete', { run }),
    ];
    for (const { message } of refusals) expect(message).toContain(text);
    expect((await client.refused('lc/resume', { run, engine: 'onnx-cpu' })).message).toContain('stop it first');
    await client.ask('lc/stop', { run });
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'stopped' }]);
    await ended;
    expect((await client.refused('lc/stop', { run })).message).toContain('is not running');
    // And goes on under this daemon, which then is its owner.
    await client.ask('lc/subscribe', { run, on: true });
    await client.ask('lc/resume', { run });
    expect(statesOf(run)).toEqual(expect.arrayContaining(['paused', 'running', 'stopped']));
    expect((await client.ask('lc/memory', null)).runs).toMatchObject([{ run }]);
    await client.waitFor(() => live(run).events.some(({ event }) => event === 'iteration'));
    await client.ask('lc/stop', { run });
    expect((await logged(folder)).find(({ event }) => event === 'budget')).toMatchObject({ budget: { weights: 6 } });
  });

  it('is interrupted within seconds when trainer and owner are killed, and resumes here to the end', async () => {
    const { run, owner, pid, folder } = await elsewhere();
    await until(run, 'running', 10_000);
    await client.ask('lc/subscribe', { run, on: true });
    owner.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await until(run, 'interrupted', 3000);
    expect(summariesOf(run).at(-1)!.message).toContain('resume continues from the last checkpoint');
    // The lock is still there; it names a process that is gone.
    expect(await readdir(folder)).toContain('lock');
    await client.ask('lc/resume', { run });
    await until(run, 'done', 60_000);
    const { curve, events } = live(run);
    // Once each: from the trainer, and not from the log as well.
    expect(events.filter(({ event }) => event === 'done')).toHaveLength(1);
    const log = (await logged(folder)).filter(isBatch);
    const resumed = curve.time.lastIndexOf(log.at(-1)!.time);
    expect(curve.time.indexOf(log.at(-1)!.time)).toBe(resumed);
  });

  it('is interrupted when only its owner is killed: the trainer checkpoints and ends', async () => {
    const { run, owner } = await elsewhere();
    await until(run, 'running', 10_000);
    owner.kill('SIGKILL');
    await until(run, 'interrupted', 5000);
  });

  it('that another process resumes comes live again, cut back to the checkpoint, each event once', async () => {
    const first = await elsewhere();
    const { run, folder } = first;
    await until(run, 'running', 10_000);
    await client.ask('lc/subscribe', { run, on: true });
    await client.waitFor(() => live(run).curve.step.length > 20);
    first.owner.kill('SIGKILL');
    process.kill(first.pid, 'SIGKILL');
    await until(run, 'interrupted', 3000);
    await wait(1500);
    const before = live(run);
    await elsewhere({ run });
    await until(run, 'running', 10_000);
    await until(run, 'done', 60_000);
    await client.waitFor(() => live(run).events.at(-1)?.event === 'done');
    await wait(300);
    const log = await logged(folder);
    const cut = log.findLastIndex((event) => event.event === 'start');
    expect(log[cut]).toMatchObject({ resumed: true });
    const after = live(run);
    const last = Math.max(before.events.at(-1)!.time, before.curve.time.at(-1)!);
    const written = log.filter(({ time }) => time > last);
    expect(written).toContainEqual(log[cut]);
    expect(after.events.slice(before.events.length)).toEqual(written.filter((event) => !isBatch(event)));
    expect(after.curve.step.slice(before.curve.step.length)).toEqual(written.filter(isBatch).map(({ step }) => step));
  });

  it('goes from the list when its folder is deleted by hand; Refresh reads everything again', async () => {
    const { run, owner, pid, folder } = await elsewhere();
    await until(run, 'running', 10_000);
    owner.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await until(run, 'interrupted', 3000);
    const [before] = await client.ask('lc/runs', null);
    const plan = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as object;
    await wait(2500);
    // In place: no folder has changed.
    await writeFile(join(folder, 'plan.json'), JSON.stringify({ ...plan, name: 'renamed' }));
    expect(await client.ask('lc/refresh', null)).toEqual([{ ...before, plan: 'renamed' }]);
    await rm(folder, { recursive: true });
    await until(run, 'gone', 10_000);
    expect(await client.ask('lc/runs', null)).toEqual([]);
  });

  it('is seen and steered by two windows', async () => {
    const second = await Daemon.start(script, { env: { FAKE_TRAINER: trainer.path, FAKE_STEP_MS: '30' } });
    try {
      const there = await second.client([workspace]);
      const planPath = join(workspace, 'fake.prune.json');
      await writeFile(planPath, '{}');
      const { run } = await elsewhere({ stepMs: 30 });
      await until(run, 'running', 10_000);
      await there.ask('lc/stop', { run });
      await until(run, 'stopped', 10_000);
      await there.ask('lc/resume', { run });
      await until(run, 'running', 10_000);
      await client.ask('lc/setBudget', { run, budget: { weights: 6 } });
      const { message } = await client.refused('lc/rename', { run, name: 'other' });
      expect(message).toMatch(/process \d+ \(an editor window\)/);
      await client.ask('lc/stop', { run });
      // Its own daemon waits until the process has ended.
      await expect
        .poll(() => there.ask('lc/runs', null), { timeout: 10_000 })
        .toMatchObject([{ run, state: 'stopped' }]);
    } finally {
      await second.close();
    }
  });
});

describe('the command line', () => {
  it('trains in a folder that a daemon serves: its run appears, is followed and finishes', async () => {
    const tiny = await tinyWorkspace({
      ...TINY_PLAN,
      schedule: { ...TINY_PLAN.schedule, iterations: 100, epochs: 400, tolerance: 0 },
    });
    try {
      const folder = await realpath(tiny.folder);
      client = await daemon.client([folder]);
      const cli = spawn(process.execPath, [resolve('dist', 'cli.mjs'), 'run', 'tiny.prune.json'], { cwd: folder, stdio: 'ignore' }); // prettier-ignore
      owners.push(cli);
      const ended = once(cli, 'exit');
      const change = await client.waitFor(({ method }) => method === 'lc/runChanged', 0, 60_000);
      const { run, summary } = change.params as { run: string; summary: RunSummary };
      expect(summary).toMatchObject({ plan: 'tiny', state: 'running' });
      await client.ask('lc/subscribe', { run, on: true });
      const { events: history } = await client.ask('lc/history', { run, from: 0, limit: 100_000 });
      await until(run, 'done', 120_000);
      await client.waitFor(() => live(run).events.at(-1)?.event === 'done');
      await wait(200);
      await expectWhole(run, join(folder, '.lcprune', 'runs', run), history);
      await ended;
    } finally {
      await tiny.remove();
    }
  });
});
