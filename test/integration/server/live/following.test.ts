/** A running run is followed and steered by its clients, through the real daemon and supervisor. */
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BatchColumns } from '../../../../daemon/protocol/messages.js';
import { batchesOf, buildInventedRuns, eventsOf, untilState, type InventedRuns } from './inventedRuns.js';
import { isAlive } from '../../../fixtures/isAlive.js';

let invented: InventedRuns;
beforeAll(async () => {
  invented = await buildInventedRuns();
});
beforeEach(() => invented.openWorkspace());
afterEach(() => invented.closeDaemon());
afterAll(() => invented.remove());

describe('a running run', () => {
  it('is reported from start to end: states, every event once, batches in order, history equal to the log', async () => {
    const client = await invented.start({ FAKE_RATE: '200', FAKE_SECONDS: '2' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
    await client.ask('lc/subscribe', { run, on: true });
    await untilState(client, run, 'done');
    const logged = await invented.loggedEvents(run);
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
      textDocument: { uri: pathToFileURL(invented.planPath).href },
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
    const client = await invented.start({ FAKE_RATE: '1000', FAKE_SECONDS: '30' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
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
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '30' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
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
    const [pid] = await invented.trainerPids();
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
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '1' });
    await client.ask('lc/start', { planPath: invented.planPath, compare: ['magnitude', 'gradual', 'magnitude'] });
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
    const one = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '1' });
    const two = await invented.daemon.client([invented.workspace]);
    const other = await invented.daemon.client([invented.scratch.path + '/dist']);
    const { run } = await one.ask('lc/start', { planPath: invented.planPath });
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
    const first = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '30' });
    const { run } = await first.ask('lc/start', { planPath: invented.planPath });
    await first.ask('lc/subscribe', { run, on: true });
    await first.waitFor((message) => message.method === 'lc/batches');
    first.socket.terminate();
    const second = await invented.daemon.client([invented.workspace]);
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
