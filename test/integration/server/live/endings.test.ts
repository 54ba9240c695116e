/** The daemon or a trainer ends during a run: no process remains, and the run continues when it is resumed. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../daemon/protocol/events.js';
import type { RunSummary } from '../../../../daemon/protocol/messages.js';
import { buildInventedRuns, eventsOf, untilState, type InventedRuns } from './inventedRuns.js';
import { isAlive } from '../../../fixtures/isAlive.js';

let invented: InventedRuns;
beforeAll(async () => {
  invented = await buildInventedRuns();
});
beforeEach(() => invented.openWorkspace());
afterEach(() => invented.closeDaemon());
afterAll(() => invented.remove());

describe('the end of the daemon', () => {
  it('checkpoints the trainer and leaves no process when stdin ends', async () => {
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '60', FAKE_SLOW_STOP: '500' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
    const [pid] = await invented.trainerPids();
    expect(await invented.daemon.close()).toBe(0);
    expect(isAlive(pid!)).toBe(false);
    const events = await invented.loggedEvents(run);
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['checkpoint', 'stopped']);
    const again = await invented.start();
    expect(await again.ask('lc/runs', null)).toMatchObject([{ run, state: 'interrupted' }]);
  });

  it('does not wait for a trainer for ever', async () => {
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '60', FAKE_SLOW_STOP: '3600000' });
    await client.ask('lc/start', { planPath: invented.planPath });
    const [pid] = await invented.trainerPids();
    expect(await invented.daemon.close()).toBe(0);
    // It has seen its parent go.
    for (let i = 0; i < 100 && isAlive(pid!); i++) await wait(50);
    expect(isAlive(pid!)).toBe(false);
  });

  it('kill -9 of the daemon leaves no trainer and an interrupted run that resumes', async () => {
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '2' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
    const [pid] = await invented.trainerPids();
    const exit = once(invented.daemon.child, 'exit');
    invented.daemon.child.kill('SIGKILL');
    await exit;
    for (let i = 0; i < 100 && isAlive(pid!); i++) await wait(50);
    expect(isAlive(pid!)).toBe(false);
    const again = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '1' });
    expect(await again.ask('lc/runs', null)).toMatchObject([{ run, state: 'interrupted' }]);
    await again.ask('lc/resume', { run });
    await untilState(again, run, 'done');
  });

  it('a trainer that is killed is reported as failed, with the way out, and the daemon lives', async () => {
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '60' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
    await client.ask('lc/subscribe', { run, on: true });
    const [pid] = await invented.trainerPids();
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

  it('a run whose trainer crashes names the next engine, and continues on the requested one', async () => {
    const client = await invented.start({ FAKE_RATE: '100', FAKE_SECONDS: '60' });
    const { run } = await client.ask('lc/start', { planPath: invented.planPath });
    await client.ask('lc/subscribe', { run, on: true });
    await client.waitFor((message) => message.method === 'lc/batches');
    expect((await client.refused('lc/resume', { run, engine: 'other' })).data).toMatchObject({ code: 'run-invalid' });
    const [pid] = await invented.trainerPids();
    process.kill(pid!, 'SIGSEGV');
    await untilState(client, run, 'crashed');
    const ending = { how: 'SIGSEGV', cause: 'crash', engine: 'fake', next: 'after-fake' };
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'crashed', ending }]);
    const marked = (await invented.loggedEvents(run)).at(-1)!;
    expect(marked).toMatchObject({ event: 'failed', ending });
    // Whoever was subscribed got the very same event.
    const told = () => eventsOf(client, run).find(({ event }) => event === 'failed');
    await client.waitFor(() => told() !== undefined);
    expect(told()).toEqual(marked);
    const lenses = await client.call<{ command: { title: string } }[]>('textDocument/codeLens', {
      textDocument: { uri: pathToFileURL(invented.planPath).href },
    });
    expect(lenses.map(({ command }) => command.title).join()).toContain('crashed (SIGSEGV, fake)');
    const from = client.received.length;
    await client.ask('lc/resume', { run, engine: 'other' });
    await client.waitFor((message) => message.method === 'lc/runChanged' && JSON.stringify(message).includes('"engine":"other"'), from); // prettier-ignore
    expect(await client.ask('lc/runs', null)).toMatchObject([{ run, state: 'running', engine: 'other' }]);
    await client.ask('lc/stop', { run });
  });
});
