/** Runs through the real daemon, the real supervisor and a trainer process that invents its metrics. */
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BatchColumns, RunSummary } from '../../../daemon/protocol/messages.js';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import { bigModel } from '../../fixtures/bigModel.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { Client, Daemon, temporaryFolder } from './harness.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
let trainer: string;
let workspace: string;
let planPath: string;
let daemon: Daemon;
let serial = 0;

beforeAll(async () => {
  scratch = await temporaryFolder();
  script = await bundle('test/fixtures/daemon/fakeDaemon.ts', join(scratch.path, 'dist'));
  trainer = await bundle('test/fixtures/daemon/fakeTrainer.ts', join(scratch.path, 'trainer'), 'trainer');
});
beforeEach(async () => {
  workspace = join(scratch.path, `workspace${serial++}`);
  await mkdir(workspace);
  planPath = join(workspace, 'fake.prune.json');
  await writeFile(planPath, '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }');
});
afterEach(async () => {
  await daemon.close();
  expect(daemon.stderr).not.toMatch(/uncaught|unhandled/i);
});
afterAll(() => scratch.remove());

async function start(env: Record<string, string> = {}): Promise<Client> {
  daemon = await Daemon.start(script, { env: { FAKE_TRAINER: trainer, ...env } });
  return daemon.client([workspace]);
}

const batchesOf = (client: Client, run: string): BatchColumns[] =>
  client.received
    .filter((message) => message.method === 'lc/batches')
    .map((message) => message.params as BatchColumns)
    .filter((columns) => columns.run === run);

const eventsOf = (client: Client, run: string): RunEvent[] =>
  client.received
    .filter((message) => message.method === 'lc/events')
    .map((message) => message.params as { run: string; events: RunEvent[] })
    .flatMap((params) => (params.run === run ? params.events : []));

const untilState = (client: Client, run: string, state: RunSummary['state']) =>
  client.waitFor((message) => {
    const params = message.params as { run: string; summary: RunSummary | null } | undefined;
    return message.method === 'lc/runChanged' && params?.run === run && params.summary?.state === state;
  });

async function loggedEvents(run: string): Promise<RunEvent[]> {
  const text = await readFile(join(workspace, '.lcprune', 'runs', run, 'events.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Process ids of the trainers that have this workspace's runs locked. */
async function trainerPids(): Promise<number[]> {
  const runs = join(workspace, '.lcprune', 'runs');
  const pids: number[] = [];
  for (const run of await readdir(runs)) {
    const text = await readFile(join(runs, run, 'lock'), 'utf8').catch(() => null);
    if (text) pids.push((JSON.parse(text) as { pid: number }).pid);
  }
  return pids;
}

describe('a live run', () => {
  it('is told from start to end: states, every event once, batches in order, history equal to the log', async () => {
    const client = await start({ FAKE_RATE: '200', FAKE_SECONDS: '2' });
    const { run } = await client.ask('lc/start', { planPath });
    await client.ask('lc/subscribe', { run, on: true });
    await untilState(client, run, 'done');
    const logged = await loggedEvents(run);
    expect(logged.filter((event) => event.event === 'batch')).toHaveLength(400);

    // Subscribed a moment after the start: the history fills what came before, without a seam.
    const history = await client.ask('lc/history', { run, from: 0, limit: 100_000 });
    expect(history).toEqual({ events: logged, next: logged.length, end: true });
    const live = batchesOf(client, run).flatMap((columns) => columns.step);
    expect(live.length).toBeGreaterThan(200);
    expect(live).toEqual([...live].sort((a, b) => a - b));
    expect(new Set(live).size).toBe(live.length);
    expect(live.at(-1)).toBe(400);
    for (const columns of batchesOf(client, run)) {
      const lengths = new Set(
        Object.values(columns)
          .filter(Array.isArray)
          .map((column) => column.length),
      );
      expect(lengths.size).toBe(1);
    }
    const events = eventsOf(client, run);
    expect(events.map(({ event }) => event)).toContain('iteration');
    expect(events.at(-1)).toEqual(logged.at(-1));
    expect(events.some(({ event }) => event === 'batch')).toBe(false);

    const [summary] = await client.ask('lc/runs', null);
    expect(summary).toMatchObject({ run, state: 'done', progress: 1, kept: 30, error: 0.02 });
    const lenses = await client.call<{ command: { title: string } }[]>('textDocument/codeLens', {
      textDocument: { uri: pathToFileURL(planPath).href },
    });
    expect(lenses.map(({ command }) => command.title).join()).toContain(
      'Last run: error 2% (reference 2%), 30 kept (10%)',
    );
    const windowed = await client.ask('lc/history', { run, from: 0, limit: 100_000, resolution: 50 });
    const thinned = windowed.events.filter((event) => event.event === 'batch');
    expect(thinned.length).toBeGreaterThan(10);
    expect(thinned.length).toBeLessThanOrEqual(50);
    expect(windowed.events.filter((event) => event.event !== 'batch')).toEqual(
      logged.filter((event) => event.event !== 'batch'),
    );
  });

  it('batches at most every 50 ms, and stops when unsubscribed', async () => {
    const client = await start({ FAKE_RATE: '1000', FAKE_SECONDS: '30' });
    const { run } = await client.ask('lc/start', { planPath });
    await client.ask('lc/subscribe', { run, on: true });
    await client.waitFor((message) => message.method === 'lc/batches');
    const before = batchesOf(client, run).length;
    await wait(1000);
    const messages = batchesOf(client, run).length - before;
    expect(messages).toBeGreaterThan(2);
    expect(messages).toBeLessThanOrEqual(22);
    await client.ask('lc/subscribe', { run, on: false });
    await wait(100);
    const after = batchesOf(client, run).length;
    await wait(300);
    expect(batchesOf(client, run)).toHaveLength(after);
    await client.ask('lc/stop', { run });
  });

  it('pauses, resumes, takes a new budget, stops, goes on from there, and is deleted', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '30' });
    const { run } = await client.ask('lc/start', { planPath });
    await client.ask('lc/subscribe', { run, on: true });
    await client.ask('lc/pause', { run });
    await untilState(client, run, 'paused');
    await wait(100);
    const paused = batchesOf(client, run).flatMap(({ step }) => step).length;
    await wait(300);
    expect(batchesOf(client, run).flatMap(({ step }) => step)).toHaveLength(paused);
    await client.ask('lc/resume', { run });
    await client.waitFor((message) => message.method === 'lc/batches', client.received.length);
    const preview = await client.ask('lc/setBudget', { run, budget: { weights: 2662 } });
    expect(preview).toMatchObject({ kappa: 2662, prunable: 266_200, problem: null });
    for (const method of ['lc/delete', 'lc/rename'] as const) {
      expect((await client.refused(method, { run, name: 'x' })).code).not.toBe(0);
    }
    expect((await client.refused('lc/delete', { run })).data).toMatchObject({ code: 'run-invalid' });
    const [pid] = await trainerPids();
    await client.ask('lc/stop', { run });
    expect(isAlive(pid!)).toBe(false);
    await untilState(client, run, 'stopped');
    expect((await client.refused('lc/pause', { run })).data).toMatchObject({ code: 'run-invalid' });
    await client.ask('lc/resume', { run });
    expect((await client.refused('lc/resume', { run: 'absent' })).data).toMatchObject({ code: 'run-missing' });
    await client.ask('lc/stop', { run });
    const renamed = await client.ask('lc/rename', { run, name: 'kept for later' });
    expect(renamed.run).toContain('kept-for-later');
    expect(await client.ask('lc/plan', { run: renamed.run })).toMatchObject({ plan: { name: 'fake' } });
    await client.ask('lc/delete', { run: renamed.run });
    expect(await client.ask('lc/runs', null)).toEqual([]);
  });

  it('starts the baselines of a comparison one after the other', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '1' });
    await client.ask('lc/start', { planPath, compare: ['magnitude', 'gradual', 'magnitude'] });
    for (let i = 0; i < 400; i++) {
      const runs = await client.ask('lc/runs', null);
      expect(runs.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(1);
      if (runs.length === 3 && runs.every(({ state }) => state === 'done')) break;
      await wait(100);
    }
    const runs = await client.ask('lc/runs', null);
    expect(runs.map(({ method, state }) => `${method} ${state}`).sort()).toEqual([
      'gradual done',
      'lc done',
      'magnitude done',
    ]);
  });

  it('is shown to both of two clients, and to none of another folder', async () => {
    const one = await start({ FAKE_RATE: '100', FAKE_SECONDS: '1' });
    const two = await daemon.client([workspace]);
    const other = await daemon.client([scratch.path + '/dist']);
    const { run } = await one.ask('lc/start', { planPath });
    await Promise.all([one, two].map((client) => client.ask('lc/subscribe', { run, on: true })));
    expect((await other.refused('lc/subscribe', { run, on: true })).data).toMatchObject({ code: 'run-missing' });
    await Promise.all([untilState(one, run, 'done'), untilState(two, run, 'done')]);
    expect(
      batchesOf(two, run)
        .flatMap(({ step }) => step)
        .at(-1),
    ).toBe(100);
    expect(other.received.some(({ method }) => method?.startsWith('lc/'))).toBe(false);
    // One client's shutdown leaves the other served.
    await one.call('shutdown');
    one.notify('exit');
    expect(await two.ask('lc/runs', null)).toHaveLength(1);
  });

  it('survives its client: a new one finds it running and gets the whole history', async () => {
    const first = await start({ FAKE_RATE: '100', FAKE_SECONDS: '30' });
    const { run } = await first.ask('lc/start', { planPath });
    await first.ask('lc/subscribe', { run, on: true });
    await first.waitFor((message) => message.method === 'lc/batches');
    first.socket.terminate();
    const second = await daemon.client([workspace]);
    expect(await second.ask('lc/runs', null)).toMatchObject([{ run, state: 'running' }]);
    await second.ask('lc/subscribe', { run, on: true });
    const live = await second.waitFor((message) => message.method === 'lc/batches');
    const history = await second.ask('lc/history', { run, from: 0, limit: 100_000 });
    const steps = history.events.flatMap((event) => (event.event === 'batch' ? [event.step] : []));
    expect(steps).toEqual(steps.map((_, i) => i + 1));
    expect(steps.length).toBeGreaterThanOrEqual((live.params as BatchColumns).step[0]! - 1);
    await second.ask('lc/stop', { run });
  });
});

describe('a client that does not read', () => {
  /** Has the daemon read a model whose CodeLens is an answer of about 1.5 MB, cheap to give again. */
  async function prepareLongAnswers(client: Client): Promise<{ textDocument: { uri: string } }> {
    const model = join(workspace, 'model.json');
    await writeFile(model, bigModel(2000));
    const params = { textDocument: { uri: pathToFileURL(model).href } };
    while ((await client.call<unknown[]>('textDocument/codeLens', params)).length < 2) await wait(50);
    return params;
  }

  /** Asks for `count` long answers, from the id `first` on, and reads none of them. */
  function stopReading(client: Client, params: object, first: number, count: number): void {
    client.socket.pause();
    for (let i = 0; i < count; i++)
      client.send({ jsonrpc: '2.0', id: first + i, method: 'textDocument/codeLens', params });
  }

  it('gets thinned batches and every other event when it reads again; the log has all, others see no delay', async () => {
    const fast = await start({ FAKE_RATE: '4000', FAKE_SECONDS: '5' });
    const slow = await daemon.client([workspace]);
    const long = await prepareLongAnswers(slow);
    const { run } = await fast.ask('lc/start', { planPath });
    await Promise.all([fast, slow].map((client) => client.ask('lc/subscribe', { run, on: true })));
    // The kernel's buffers fill with answers nobody reads, until the daemon has to hold back.
    stopReading(slow, long, 5000, 15);
    await untilState(fast, run, 'done');
    slow.socket.resume();
    await untilState(slow, run, 'done');
    const all = batchesOf(fast, run).flatMap(({ step }) => step);
    await slow.waitFor(
      (message) => message.method === 'lc/batches' && (message.params as BatchColumns).step.includes(all.at(-1)!),
    );
    const thinned = batchesOf(slow, run).flatMap(({ step }) => step);
    expect(thinned.length).toBeLessThan(all.length);
    expect(thinned).toEqual([...thinned].sort((a, b) => a - b));
    expect(eventsOf(slow, run)).toEqual(eventsOf(fast, run));
    const logged = (await loggedEvents(run)).filter(({ event }) => event === 'batch');
    expect(logged).toHaveLength(20_000);
    for (let i = 0; i < 15; i++) await slow.waitFor(({ id, result }) => id === 5000 + i && Array.isArray(result));
  });

  it('is disconnected when it is owed too much, and the daemon goes on', async () => {
    const client = await start();
    const stuck = await daemon.client([workspace]);
    const closed = once(stuck.socket, 'close');
    stopReading(stuck, await prepareLongAnswers(stuck), 100, 100);
    for (let i = 0; i < 400 && !daemon.stderr.includes('does not read'); i++) await wait(50);
    expect(daemon.stderr).toContain('does not read');
    stuck.socket.resume();
    await closed;
    expect(await client.ask('lc/runs', null)).toEqual([]);
  });
});

describe('the end of the daemon', () => {
  it('checkpoints the trainer and leaves no process when stdin ends', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '60', FAKE_SLOW_STOP: '500' });
    const { run } = await client.ask('lc/start', { planPath });
    const [pid] = await trainerPids();
    expect(await daemon.close()).toBe(0);
    expect(isAlive(pid!)).toBe(false);
    const events = await loggedEvents(run);
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['checkpoint', 'stopped']);
    const again = await start();
    expect(await again.ask('lc/runs', null)).toMatchObject([{ run, state: 'interrupted' }]);
  });

  it('does not wait for a trainer for ever', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '60', FAKE_SLOW_STOP: '3600000' });
    await client.ask('lc/start', { planPath });
    const [pid] = await trainerPids();
    expect(await daemon.close()).toBe(0);
    // It has seen its parent go.
    for (let i = 0; i < 100 && isAlive(pid!); i++) await wait(50);
    expect(isAlive(pid!)).toBe(false);
  });

  it('kill -9 of the daemon leaves no trainer and an interrupted run that resumes', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '2' });
    const { run } = await client.ask('lc/start', { planPath });
    const [pid] = await trainerPids();
    const exit = once(daemon.child, 'exit');
    daemon.child.kill('SIGKILL');
    await exit;
    for (let i = 0; i < 100 && isAlive(pid!); i++) await wait(50);
    expect(isAlive(pid!)).toBe(false);
    const again = await start({ FAKE_RATE: '100', FAKE_SECONDS: '1' });
    expect(await again.ask('lc/runs', null)).toMatchObject([{ run, state: 'interrupted' }]);
    await again.ask('lc/resume', { run });
    await untilState(again, run, 'done');
  });

  it('a trainer that is killed is reported as failed, with the way out, and the daemon lives', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '60' });
    const { run } = await client.ask('lc/start', { planPath });
    await client.ask('lc/subscribe', { run, on: true });
    const [pid] = await trainerPids();
    process.kill(pid!, 'SIGKILL');
    const failed = await client.waitFor(
      (message) =>
        message.method === 'lc/events' &&
        (message.params as { events: RunEvent[] }).events.some(({ event }) => event === 'failed'),
    );
    expect(JSON.stringify(failed.params)).toMatch(/SIGKILL.*resume/);
    await client.waitFor(
      (message) =>
        message.method === 'lc/runChanged' &&
        ['failed', 'interrupted'].includes((message.params as { summary: RunSummary }).summary.state),
    );
    expect(await client.ask('lc/runs', null)).toHaveLength(1);
  });

  it('a trainer that crashes is marked with the engine that comes next, and goes on on the engine that is asked for', async () => {
    const client = await start({ FAKE_RATE: '100', FAKE_SECONDS: '60' });
    const { run } = await client.ask('lc/start', { planPath });
    await client.ask('lc/subscribe', { run, on: true });
    await client.waitFor((message) => message.method === 'lc/batches');
    expect((await client.refused('lc/resume', { run, engine: 'other' })).data).toMatchObject({ code: 'run-invalid' });
    const [pid] = await trainerPids();
    process.kill(pid!, 'SIGSEGV');
    await untilState(client, run, 'crashed');
    const ending = { how: 'SIGSEGV', cause: 'crash', engine: 'fake', next: 'after-fake' };
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'crashed', ending }]);
    const marked = (await loggedEvents(run)).at(-1)!;
    expect(marked).toMatchObject({ event: 'failed', ending });
    // Whoever was subscribed got the very same event.
    const told = () => eventsOf(client, run).find(({ event }) => event === 'failed');
    await client.waitFor(() => told() !== undefined);
    expect(told()).toEqual(marked);
    const lenses = await client.call<{ command: { title: string } }[]>('textDocument/codeLens', {
      textDocument: { uri: pathToFileURL(planPath).href },
    });
    expect(lenses.map(({ command }) => command.title).join()).toContain('crashed (SIGSEGV, fake)');
    const from = client.received.length;
    await client.ask('lc/resume', { run, engine: 'other' });
    await client.waitFor((message) => message.method === 'lc/runChanged' && JSON.stringify(message).includes('"engine":"other"'), from); // prettier-ignore
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'running', engine: 'other' }]);
    await client.ask('lc/stop', { run });
  });
});
