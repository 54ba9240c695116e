/**
 * Runs that this daemon did not start: a process of its own supervises their trainer (the product's, over the fake engine),
 * as the command line does. One run is the real command's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { TINY_PLAN, tinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { FakeEngine, type Supervised } from '../trainer/fakeEngine.js';
import { Daemon } from './harness.js';
import { isBatch, logged, RunWatcher } from './runWatcher.js';

let engine: FakeEngine;
let watcher: RunWatcher;

const startDaemon = (stepMs: number): Promise<Daemon> =>
  Daemon.start(engine.script, { env: { FAKE_TRAINER: engine.trainer.path, FAKE_STEP_MS: String(stepMs) } });

/** Starts (or with `run` resumes) a run that the daemon does not own. */
const elsewhere = ({ stepMs = 10, run = '' } = {}): Promise<Supervised> =>
  engine.elsewhere({ run, env: { FAKE_STEP_MS: String(stepMs) } });

beforeAll(async () => {
  engine = await FakeEngine.build();
});
beforeEach(async () => {
  await engine.openWorkspace();
  watcher = await RunWatcher.open(await startDaemon(10), engine.workspace);
});
afterEach(async () => {
  engine.killOwners();
  await watcher.daemon.close();
  expect(watcher.daemon.stderr).not.toMatch(/uncaught|unhandled/i);
});
afterAll(() => engine.remove());

describe('a run that another process started', () => {
  it('appears within two seconds, advances, finishes; its curves are live and equal to the log', async () => {
    expect(await watcher.client.ask('lc/runs', null)).toEqual([]);
    const { run, folder } = await elsewhere();
    const began = performance.now();
    await watcher.until(run, 'running', 10_000);
    expect(performance.now() - began).toBeLessThan(2500);
    await watcher.client.ask('lc/subscribe', { run, on: true });
    const { events: history } = await watcher.client.ask('lc/history', { run, from: 0, limit: 100_000 });
    await watcher.until(run, 'done', 60_000);
    const shown = watcher.summariesOf(run).map((summary) => summary!.progress);
    expect(new Set(shown).size).toBeGreaterThan(3);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
    await watcher.client.waitFor(() => watcher.live(run).events.at(-1)?.event === 'done');
    await wait(200);
    await watcher.expectWhole(run, folder, history);
    expect(await watcher.client.ask('lc/runs', null)).toMatchObject([{ run, state: 'done', progress: 1 }]);
  });

  it('is steered: paused, continued, given a budget, stopped; what cannot be done names who runs it', async () => {
    const { run, owner, pid, folder } = await elsewhere({ stepMs: 30 });
    const ended = once(owner, 'exit');
    await watcher.client.ask('lc/pause', { run });
    expect(await watcher.client.ask('lc/runs', null)).toMatchObject([{ run, state: 'paused' }]);
    await watcher.client.ask('lc/resume', { run });
    expect(await watcher.client.ask('lc/runs', null)).toMatchObject([{ run, state: 'running' }]);
    const text = `process ${pid} (lc-prune in a terminal)`;
    // A budget is taken, or refused by the trainer's own words.
    const impossible = await watcher.client.refused('lc/setBudget', { run, budget: { weights: 1000 } });
    expect(impossible.data).toMatchObject({ code: 'budget-impossible' });
    await watcher.client.ask('lc/setBudget', { run, budget: { weights: 6 } });
    const refusals = [
      await watcher.client.refused('lc/rename', { run, name: 'other' }),
      await watcher.client.refused('lc/delete', { run }),
    ];
    for (const { message } of refusals) expect(message).toContain(text);
    expect((await watcher.client.refused('lc/resume', { run, engine: 'onnx-cpu' })).message).toContain('stop it first');
    await watcher.client.ask('lc/stop', { run });
    expect(await watcher.client.ask('lc/runs', null)).toMatchObject([{ run, state: 'stopped' }]);
    await ended;
    expect((await watcher.client.refused('lc/stop', { run })).message).toContain('is not running');
    // The run then continues under this daemon, which becomes its owner.
    await watcher.client.ask('lc/subscribe', { run, on: true });
    await watcher.client.ask('lc/resume', { run });
    expect(watcher.statesOf(run)).toEqual(expect.arrayContaining(['paused', 'running', 'stopped']));
    expect((await watcher.client.ask('lc/memory', null)).runs).toMatchObject([{ run }]);
    await watcher.client.waitFor(() => watcher.live(run).events.some(({ event }) => event === 'iteration'));
    await watcher.client.ask('lc/stop', { run });
    expect((await logged(folder)).find(({ event }) => event === 'budget')).toMatchObject({ budget: { weights: 6 } });
  });

  it('is interrupted within seconds when trainer and owner are killed, and resumes here to the end', async () => {
    const { run, owner, pid, folder } = await elsewhere();
    await watcher.until(run, 'running', 10_000);
    await watcher.client.ask('lc/subscribe', { run, on: true });
    owner.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await watcher.until(run, 'interrupted', 3000);
    expect(watcher.summariesOf(run).at(-1)!.message).toContain('resume continues from the last checkpoint');
    // The lock is still there; it names a process that is gone.
    expect(await readdir(folder)).toContain('lock');
    await watcher.client.ask('lc/resume', { run });
    await watcher.until(run, 'done', 60_000);
    const { curve, events } = watcher.live(run);
    // Once each: from the trainer, and not from the log as well.
    expect(events.filter(({ event }) => event === 'done')).toHaveLength(1);
    const log = (await logged(folder)).filter(isBatch);
    const resumed = curve.time.lastIndexOf(log.at(-1)!.time);
    expect(curve.time.indexOf(log.at(-1)!.time)).toBe(resumed);
  });

  it('is interrupted when only its owner is killed: the trainer checkpoints and ends', async () => {
    const { run, owner } = await elsewhere();
    await watcher.until(run, 'running', 10_000);
    owner.kill('SIGKILL');
    await watcher.until(run, 'interrupted', 5000);
  });

  it('that another process resumes is streamed again, cut back to the checkpoint, each event once', async () => {
    const first = await elsewhere();
    const { run, folder } = first;
    await watcher.until(run, 'running', 10_000);
    await watcher.client.ask('lc/subscribe', { run, on: true });
    await watcher.client.waitFor(() => watcher.live(run).curve.step.length > 20);
    first.owner.kill('SIGKILL');
    process.kill(first.pid, 'SIGKILL');
    await watcher.until(run, 'interrupted', 3000);
    await wait(1500);
    const before = watcher.live(run);
    await elsewhere({ run });
    await watcher.until(run, 'running', 10_000);
    await watcher.until(run, 'done', 60_000);
    await watcher.client.waitFor(() => watcher.live(run).events.at(-1)?.event === 'done');
    await wait(300);
    const log = await logged(folder);
    const cut = log.findLastIndex((event) => event.event === 'start');
    expect(log[cut]).toMatchObject({ resumed: true });
    const after = watcher.live(run);
    const last = Math.max(before.events.at(-1)!.time, before.curve.time.at(-1)!);
    const written = log.filter(({ time }) => time > last);
    expect(written).toContainEqual(log[cut]);
    expect(after.events.slice(before.events.length)).toEqual(written.filter((event) => !isBatch(event)));
    expect(after.curve.step.slice(before.curve.step.length)).toEqual(written.filter(isBatch).map(({ step }) => step));
  });

  it('disappears from the list when the user deletes its folder; Refresh reads everything again', async () => {
    const { run, owner, pid, folder } = await elsewhere();
    await watcher.until(run, 'running', 10_000);
    owner.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await watcher.until(run, 'interrupted', 3000);
    const [before] = await watcher.client.ask('lc/runs', null);
    const plan = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as object;
    await wait(2500);
    // In place: no folder has changed.
    await writeFile(join(folder, 'plan.json'), JSON.stringify({ ...plan, name: 'renamed' }));
    expect(await watcher.client.ask('lc/refresh', null)).toEqual([{ ...before, plan: 'renamed' }]);
    await rm(folder, { recursive: true });
    await watcher.until(run, 'gone', 10_000);
    expect(await watcher.client.ask('lc/runs', null)).toEqual([]);
  });

  it('is seen and steered by two windows', async () => {
    const second = await startDaemon(30);
    try {
      const there = await second.client([engine.workspace]);
      const planPath = join(engine.workspace, 'fake.prune.json');
      await writeFile(planPath, '{}');
      const { run } = await elsewhere({ stepMs: 30 });
      await watcher.until(run, 'running', 10_000);
      await there.ask('lc/stop', { run });
      await watcher.until(run, 'stopped', 10_000);
      await there.ask('lc/resume', { run });
      await watcher.until(run, 'running', 10_000);
      await watcher.client.ask('lc/setBudget', { run, budget: { weights: 6 } });
      const { message } = await watcher.client.refused('lc/rename', { run, name: 'other' });
      expect(message).toMatch(/process \d+ \(an editor window\)/);
      await watcher.client.ask('lc/stop', { run });
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
      watcher = await RunWatcher.open(watcher.daemon, folder);
      const cli = spawn(process.execPath, [resolve('dist', 'cli.mjs'), 'run', 'tiny.prune.json'], { cwd: folder, stdio: 'ignore' }); // prettier-ignore
      engine.endWithTest(cli);
      const ended = once(cli, 'exit');
      const change = await watcher.client.waitFor(({ method }) => method === 'lc/runChanged', 0, 60_000);
      const { run, summary } = change.params as { run: string; summary: RunSummary };
      expect(summary).toMatchObject({ plan: 'tiny', state: 'running' });
      await watcher.client.ask('lc/subscribe', { run, on: true });
      const { events: history } = await watcher.client.ask('lc/history', { run, from: 0, limit: 100_000 });
      await watcher.until(run, 'done', 120_000);
      await watcher.client.waitFor(() => watcher.live(run).events.at(-1)?.event === 'done');
      await wait(200);
      await watcher.expectWhole(run, join(folder, '.lcprune', 'runs', run), history);
      await ended;
    } finally {
      await tiny.remove();
    }
  });
});
