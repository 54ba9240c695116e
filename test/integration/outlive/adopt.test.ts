/**
 * Runs that go on without the window that started them, over the fake engine (everything else is the product's): the next window takes them
 * over, steers them, and ends them where the setting says so. One daemon looks after a run, and one trainer writes it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockOwner } from '../../../daemon/trainer/process/lock.js';
import { runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { PLAN } from '../../unit/trainer/fakeRun.js';
import { temporaryFolder } from '../server/harness.js';
import { bundleTrainer, type Bundle } from '../trainer/bundle.js';
import { inLog, isAlive, Window } from './window.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
let trainer: Bundle;
let supervise: Bundle;
let workspace: string;
let planPath: string;
let serial = 0;
const windows: Window[] = [];

beforeAll(async () => {
  scratch = await temporaryFolder();
  script = await bundle('test/fixtures/daemon/fakeDaemon.ts', join(scratch.path, 'dist'));
  trainer = await bundleTrainer('test/integration/trainer/fakeTrainer.ts');
  supervise = await bundleTrainer('test/integration/trainer/supervise.ts');
});
beforeEach(async () => {
  workspace = join(scratch.path, `workspace${serial++}`);
  planPath = join(workspace, 'fake.prune.json');
  await mkdir(workspace);
  await writeFile(planPath, '{}');
});
afterEach(async () => {
  for (const window of windows.splice(0)) {
    // Nothing may outlive the test.
    if (window.daemon.alive) window.client.notify('lc/keepTraining', { on: false });
    for (const { run } of window.daemon.alive ? await window.client.ask('lc/runs', null) : []) {
      const pid = await window.trainerOf(run);
      if (pid !== null) process.kill(pid, 'SIGKILL');
    }
    await window.close();
    expect(window.daemon.stderr).not.toMatch(/uncaught|unhandled/i);
  }
});
afterAll(() => Promise.all([trainer.remove(), supervise.remove(), scratch.remove()]));

const plan = { ...PLAN, engine: 'fake', schedule: { ...PLAN.schedule, tolerance: 0 } };

async function open({ keepTraining = true, stepMs = 3, loadMs = 0 } = {}): Promise<Window> {
  const env = {
    FAKE_TRAINER: trainer.path,
    FAKE_PLAN: JSON.stringify(plan),
    FAKE_STEP_MS: String(stepMs),
    FAKE_LOAD_MS: String(loadMs),
    FAKE_CHECKPOINT_MS: '1000',
  };
  const window = await Window.open({ script, workspace, keepTraining, env });
  windows.push(window);
  return window;
}

const start = async (window: Window, compare?: 'magnitude'[]) =>
  (await window.client.ask('lc/start', { planPath, engine: 'fake', ...(compare && { compare }) })).run;

/** As `expect.poll`, for as long as a busy machine may take. */
const soon = <T>(what: () => T, timeout = 15_000) => expect.poll(what, { timeout });

describe('a trainer that outlives its window', () => {
  it.each(['closes', 'is killed'] as const)('goes on when the window %s: one curve without a gap', async (how) => {
    const first = await open();
    const run = await start(first);
    const pid = (await first.trainerOf(run))!;
    await first.follow(run);
    await first.client.waitFor(({ method }) => method === 'lc/batches');
    if (how === 'closes') expect(await first.close()).toBeLessThan(4_000);
    else await first.kill();
    const before = (await first.logOf(run)).length;
    await wait(400);
    expect((await first.logOf(run)).length).toBeGreaterThan(before);

    const second = await open();
    expect(await second.stateOf(run)).toBe('running');
    expect((await lockOwner(runPaths(second.folderOf(run)).keeper))!.pid).toBe(second.daemon.hello.pid);
    const followed = await second.follow(run);
    expect(await second.trainerOf(run)).toBe(pid);
    expect((await second.client.ask('lc/memory', null)).runs).toMatchObject([{ run, resident: expect.any(Number) }]);
    await second.until(run, ['done']);
    await second.client.waitFor(() => followed.all.events.at(-1)?.event === 'done');
    await wait(300);
    const log = await second.logOf(run);
    expect(followed.all).toEqual(inLog(log));
    expect(log.filter(({ event }) => event === 'start')).toHaveLength(1);
    await soon(() => second.kept()).toEqual([]);
    expect(second.left).toEqual([]);
  });

  it('is in a process group of its own, where a signal to the group of the editor does not reach it', async () => {
    const window = await open();
    const pid = (await window.trainerOf(await start(window)))!;
    const group = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')[2];
    expect(Number(group)).toBe(pid);
  });

  it('is paused, resumed, given another budget and stopped by the next window, also when its daemon died in a pause', async () => {
    const first = await open();
    const run = await start(first);
    const pid = (await first.trainerOf(run))!;
    await first.client.ask('lc/pause', { run });
    await first.kill();
    await wait(1500);
    // Waiting for nothing, it is there all the same.
    expect(await isAlive(pid)).toBe(true);
    const second = await open();
    expect(await second.stateOf(run)).toBe('paused');
    const refused = await second.client.refused('lc/setBudget', { run, budget: { weights: 10_000 } });
    expect(refused.data).toMatchObject({ code: 'budget-impossible' });
    expect(refused.message).toMatch(/80/);
    await second.client.ask('lc/setBudget', { run, budget: { weights: 9 } });
    await second.client.ask('lc/resume', { run });
    expect(await second.stateOf(run)).toBe('running');
    await soon(async () => (await second.logOf(run)).find(({ event }) => event === 'budget')).toMatchObject({
      budget: { weights: 9 },
    });
    await second.client.ask('lc/pause', { run });
    expect(await second.stateOf(run)).toBe('paused');
    await second.client.ask('lc/stop', { run });
    expect(await second.stateOf(run)).toBe('stopped');
    expect(await isAlive(pid)).toBe(false);
    await soon(() => second.kept()).toEqual([]);
    await second.client.ask('lc/resume', { run });
    await second.until(run, ['done']);
    expect((await second.logOf(run)).at(-1)).toMatchObject({ event: 'done', kept: 9 });
    // The user stopped it.
    expect(second.left).toEqual([]);
  });

  it('shows as interrupted within seconds when it is killed, and goes on with one call', async () => {
    const first = await open();
    const run = await start(first);
    await first.kill();
    const second = await open();
    expect(await second.stateOf(run)).toBe('running');
    process.kill((await second.trainerOf(run))!, 'SIGKILL');
    await second.client.waitFor(() => second.statesOf(run).at(-1) === 'interrupted', 0, 3000);
    await second.client.waitFor(() => second.left.length > 0, 0, 3000);
    expect(second.left).toEqual([run]);
    await second.client.ask('lc/resume', { run });
    await second.until(run, ['done']);
    await soon(() => second.kept()).toEqual([]);
  });

  it('goes on to load its model when its window closes meanwhile', async () => {
    const first = await open({ loadMs: 1500 });
    first.client.send({ jsonrpc: '2.0', id: 1, method: 'lc/start', params: { planPath, engine: 'fake' } });
    await soon(() => first.kept()).toHaveLength(1);
    const [run] = await first.kept();
    await soon(() => first.trainerOf(run!)).not.toBeNull();
    await first.close();
    const second = await open();
    await second.until(run!, ['running']);
    await second.until(run!, ['done']);
    await soon(() => second.kept()).toEqual([]);
    expect((await second.logOf(run!)).filter(({ event }) => event === 'start')).toHaveLength(1);
  });

  it('and failed to start has left the reason in its log', async () => {
    const first = await open({ loadMs: 1500 });
    first.client.send({ jsonrpc: '2.0', id: 1, method: 'lc/start', params: { planPath, engine: 'abacus' } });
    await soon(() => first.kept()).toHaveLength(1);
    const [run] = await first.kept();
    await soon(() => first.trainerOf(run!)).not.toBeNull();
    await first.kill();
    const second = await open();
    expect(await second.until(run!, ['failed'])).toBe('failed');
    const [summary] = await second.client.ask('lc/runs', null);
    expect(summary!.message).toMatch(/no abacus/);
    expect(second.left).toEqual([]);
  });

  it('has its baselines run when its window comes back, one trainer at a time', async () => {
    const first = await open();
    const run = await start(first, ['magnitude']);
    await first.kill();
    // Done while nobody looks.
    await soon(async () => (await first.logOf(run)).at(-1)?.event, 60_000).toBe('done');
    const second = await open();
    const third = await open();
    const others = async () => (await third.client.ask('lc/runs', null)).filter((one) => one.run !== run);
    await soon(async () => (await others()).map(({ method, state }) => `${method} ${state}`)).toEqual(['magnitude done']); // prettier-ignore
    await soon(() => second.kept()).toEqual([]);
    expect(await others()).toHaveLength(1);
  });

  it("but is killed, and then continued by the command line, is the command line's: a window that closes leaves it alone", async () => {
    const first = await open({ keepTraining: false });
    const run = await start(first);
    process.kill((await first.trainerOf(run))!, 'SIGKILL');
    await first.kill();
    const planFile = join(workspace, 'resolved.json');
    await writeFile(planFile, JSON.stringify(plan));
    const env = { ...process.env, FAKE_STEP_MS: '3', FAKE_CHECKPOINT_MS: '1000' };
    const owner = spawn(process.execPath, [supervise.path, planFile, workspace, trainer.path, run], { stdio: ['ignore', 'pipe', 'inherit'], env }); // prettier-ignore
    const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
    const second = await open({ keepTraining: false });
    await soon(() => second.kept()).toEqual([]);
    await second.close();
    expect(await isAlive(Number(line))).toBe(true);
    const third = await open({ keepTraining: false });
    await third.until(run, ['done']);
    expect(third.left).toEqual([]);
  });

  it('ends where it was paused and nobody comes back', async () => {
    const first = await open();
    const run = await start(first);
    await first.client.ask('lc/pause', { run });
    await first.close();
    const second = await open({ keepTraining: false });
    expect(await second.stateOf(run)).toBe('paused');
    await second.close();
    const third = await open();
    // The setting ended it; as it was paused, nobody is asked to resume it.
    expect(await third.stateOf(run)).toBe('interrupted');
    await wait(1500);
    expect(third.left).toEqual([]);
  });
});

describe('with the setting off', () => {
  it('closing ends the trainer with a checkpoint, its own or one it took over; the next window is told, once, of all', async () => {
    // Long enough for a fast machine: nothing has ended when the window closes.
    const first = await open({ stepMs: 12 });
    const adopted = await start(first);
    await first.kill();
    const second = await open({ keepTraining: false, stepMs: 12 });
    const own = await start(second);
    const pids = await Promise.all([adopted, own].map((run) => second.trainerOf(run)));
    await second.close();
    // The one it took over is no child of it: it has let go of the run, and ends a moment later.
    await soon(() => Promise.all(pids.map((pid) => isAlive(pid!)))).toEqual([false, false]);
    for (const run of [adopted, own])
      expect((await second.logOf(run)).slice(-2)).toMatchObject([{ event: 'checkpoint' }, { event: 'stopped', reason: 'shutdown' }]); // prettier-ignore
    const third = await open({ keepTraining: false });
    await third.client.waitFor(() => third.left.length > 0);
    const told = third.client.received.filter(({ method }) => method === 'lc/left');
    expect(told).toHaveLength(1);
    expect([...third.left].sort()).toEqual([adopted, own].sort());
    await soon(() => third.kept()).toEqual([]);
    await third.close();
    const fourth = await open({ keepTraining: false });
    await wait(1500);
    expect(fourth.left).toEqual([]);
    for (const run of [adopted, own]) await fourth.client.ask('lc/resume', { run });
    await fourth.until(own, ['done']);
    await fourth.until(adopted, ['done']);
  });

  it('the daemon killed, its trainer writes a checkpoint and ends; the next window is told', async () => {
    const first = await open({ keepTraining: false });
    const run = await start(first);
    const pid = (await first.trainerOf(run))!;
    await first.kill();
    const second = await open({ keepTraining: false });
    await second.client.waitFor(() => second.left.length > 0, 0, 5000);
    expect(second.left).toEqual([run]);
    expect(await second.stateOf(run)).toBe('interrupted');
    expect(await isAlive(pid)).toBe(false);
  });

  it('switched on while it trains, it goes on; switched off again, it ends', async () => {
    const first = await open({ keepTraining: false });
    const run = await start(first);
    first.client.notify('lc/keepTraining', { on: true });
    await wait(200);
    await first.kill();
    const second = await open({ keepTraining: false });
    expect(await second.stateOf(run)).toBe('running');
    second.client.notify('lc/keepTraining', { on: true });
    const other = await start(second);
    second.client.notify('lc/keepTraining', { on: false });
    await wait(200);
    const pid = (await second.trainerOf(other))!;
    await second.kill();
    await soon(() => isAlive(pid)).toBe(false);
  });
});

describe('two windows', () => {
  it('that come at once share what is left: one looks after it, both show it, one writer', async () => {
    // Long enough for a fast machine: the run has not ended when it is steered last.
    const first = await open({ stepMs: 12 });
    const run = await start(first);
    const pid = await first.trainerOf(run);
    await first.kill();
    const [second, third] = await Promise.all([open(), open()]);
    const keeper = (await lockOwner(runPaths(second.folderOf(run)).keeper))!.pid;
    expect([second, third].map((window) => window.daemon.hello.pid)).toContain(keeper);
    const followed = await Promise.all([second, third].map((window) => window.follow(run)));
    // The one that does not look after it steers it all the same.
    const other = second.daemon.hello.pid === keeper ? third : second;
    const own = other === second ? third : second;
    await other.client.ask('lc/setBudget', { run, budget: { weights: 7 } });
    await own.client.ask('lc/pause', { run });
    await other.client.ask('lc/resume', { run });
    await own.kill();
    // Within a second or two the other looks after it.
    await soon(async () => (await lockOwner(runPaths(other.folderOf(run)).keeper))?.pid).toBe(other.daemon.hello.pid);
    expect(await other.trainerOf(run)).toBe(pid);
    await other.until(run, ['done']);
    await wait(500);
    const shown = followed[other === second ? 0 : 1]!;
    expect(shown.all).toEqual(inLog(await other.logOf(run)));
  });

  it('that resume an interrupted run at once start one trainer', async () => {
    const first = await open({ keepTraining: false });
    const run = await start(first);
    process.kill((await first.trainerOf(run))!, 'SIGKILL');
    await first.kill();
    // Slower than the one that comes second is patient.
    const [second, third] = await Promise.all([open({ stepMs: 25 }), open({ stepMs: 25 })]);
    const answers = await Promise.all([second, third].map(({ client }) => client.request('lc/resume', { run })));
    expect(answers.filter(({ error }) => !error)).toHaveLength(1);
    expect(answers.find(({ error }) => error)!.error!.message).toMatch(/work(ing|ed) on/);
    await second.until(run, ['done']);
    const log = await second.logOf(run);
    expect(log.filter(({ event }) => event === 'done')).toHaveLength(1);
    const iterations = log.flatMap((event) => (event.event === 'iteration' ? [event.iteration] : []));
    expect(iterations).toEqual(iterations.map((_, i) => i));
  });

  it('that resume at once a run that is soon done resume it once', async () => {
    const first = await open({ keepTraining: false });
    const run = await start(first);
    await first.until(run, ['running']);
    await wait(1500);
    process.kill((await first.trainerOf(run))!, 'SIGKILL');
    await first.kill();
    const [second, third] = await Promise.all([open({ stepMs: 1 }), open({ stepMs: 1 })]);
    const answers = await Promise.all([second, third].map(({ client }) => client.request('lc/resume', { run })));
    await second.until(run, ['done']);
    const refusals = answers.flatMap(({ error }) => (error ? [error.message] : []));
    // One that comes while the other's trainer is at work asks that one to go on.
    expect(refusals.length).toBeLessThan(2);
    for (const message of refusals) expect(message).toMatch(/work(ing|ed) on|is finished/);
    await wait(1000);
    const log = await second.logOf(run);
    expect(await second.trainerOf(run)).toBeNull();
    expect(log.filter(({ event }) => event === 'done')).toHaveLength(1);
    expect(log.filter(({ event }) => event === 'start')).toHaveLength(2);
  });
});
