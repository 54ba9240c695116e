/** Runs that go on without the window that started them: the next window takes them over, and steers them. */
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lockOwner } from '../../../daemon/trainer/process/lock.js';
import { runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { inLog } from './window.js';
import { soon, Windows } from './windows.js';
import { isAlive } from '../../fixtures/isAlive.js';

const windows = Windows.prepare();

describe('a trainer that outlives its window', () => {
  it.each(['closes', 'is killed'] as const)('goes on when the window %s: one curve without a gap', async (how) => {
    const first = await windows.open();
    const run = await windows.start(first);
    const pid = (await first.trainerOf(run))!;
    await first.follow(run);
    await first.client.waitFor(({ method }) => method === 'lc/batches');
    if (how === 'closes') expect(await first.close()).toBeLessThan(4_000);
    else await first.kill();
    const before = (await first.logOf(run)).length;
    await wait(400);
    expect((await first.logOf(run)).length).toBeGreaterThan(before);

    const second = await windows.open();
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

  it("is in its own process group, which a signal to the editor's group does not reach", async () => {
    const window = await windows.open();
    const pid = (await window.trainerOf(await windows.start(window)))!;
    const group = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')[2];
    expect(Number(group)).toBe(pid);
  });

  it('is paused, resumed, given another budget and stopped by the next window, also when its daemon died in a pause', async () => {
    const first = await windows.open();
    const run = await windows.start(first);
    const pid = (await first.trainerOf(run))!;
    await first.client.ask('lc/pause', { run });
    await first.kill();
    await wait(1500);
    // The paused trainer lives, although no window supervises it.
    expect(isAlive(pid)).toBe(true);
    const second = await windows.open();
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
    expect(isAlive(pid)).toBe(false);
    await soon(() => second.kept()).toEqual([]);
    await second.client.ask('lc/resume', { run });
    await second.until(run, ['done']);
    expect((await second.logOf(run)).at(-1)).toMatchObject({ event: 'done', kept: 9 });
    // The user stopped it.
    expect(second.left).toEqual([]);
  });

  it('shows as interrupted within seconds when it is killed, and goes on with one call', async () => {
    const first = await windows.open();
    const run = await windows.start(first);
    await first.kill();
    const second = await windows.open();
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
    const first = await windows.open({ loadMs: 1500 });
    first.client.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'lc/start',
      params: { planPath: windows.planPath, engine: 'fake' },
    });
    await soon(() => first.kept()).toHaveLength(1);
    const [run] = await first.kept();
    await soon(() => first.trainerOf(run!)).not.toBeNull();
    await first.close();
    const second = await windows.open();
    await second.until(run!, ['running']);
    await second.until(run!, ['done']);
    await soon(() => second.kept()).toEqual([]);
    expect((await second.logOf(run!)).filter(({ event }) => event === 'start')).toHaveLength(1);
  });

  it('and failed to start has left the reason in its log', async () => {
    const first = await windows.open({ loadMs: 1500 });
    first.client.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'lc/start',
      params: { planPath: windows.planPath, engine: 'abacus' },
    });
    await soon(() => first.kept()).toHaveLength(1);
    const [run] = await first.kept();
    await soon(() => first.trainerOf(run!)).not.toBeNull();
    await first.kill();
    const second = await windows.open();
    expect(await second.until(run!, ['failed'])).toBe('failed');
    const [summary] = await second.client.ask('lc/runs', null);
    expect(summary!.message).toMatch(/no abacus/);
    expect(second.left).toEqual([]);
  });

  it('has its baselines run when its window comes back, one trainer at a time', async () => {
    const first = await windows.open();
    const run = await windows.start(first, ['magnitude']);
    await first.kill();
    // Done while nobody looks.
    await soon(async () => (await first.logOf(run)).at(-1)?.event, 60_000).toBe('done');
    const second = await windows.open();
    const third = await windows.open();
    const others = async () => (await third.client.ask('lc/runs', null)).filter((one) => one.run !== run);
    await soon(async () => (await others()).map(({ method, state }) => `${method} ${state}`)).toEqual(['magnitude done']); // prettier-ignore
    await soon(() => second.kept()).toEqual([]);
    expect(await others()).toHaveLength(1);
  });

  it("but is killed, and then continued by the command line, is the command line's: a window that closes leaves it alone", async () => {
    const first = await windows.open({ keepTraining: false });
    const run = await windows.start(first);
    process.kill((await first.trainerOf(run))!, 'SIGKILL');
    await first.kill();
    const { pid } = await windows.engine.elsewhere({ run, env: { FAKE_STEP_MS: '3', FAKE_CHECKPOINT_MS: '1000' } });
    const second = await windows.open({ keepTraining: false });
    await soon(() => second.kept()).toEqual([]);
    await second.close();
    expect(isAlive(pid)).toBe(true);
    const third = await windows.open({ keepTraining: false });
    await third.until(run, ['done']);
    expect(third.left).toEqual([]);
  });

  it('ends if it was paused and nobody comes back', async () => {
    const first = await windows.open();
    const run = await windows.start(first);
    await first.client.ask('lc/pause', { run });
    await first.close();
    const second = await windows.open({ keepTraining: false });
    expect(await second.stateOf(run)).toBe('paused');
    await second.close();
    const third = await windows.open();
    // The setting ended it. It was paused, so nobody is asked to resume it.
    expect(await third.stateOf(run)).toBe('interrupted');
    await wait(1500);
    expect(third.left).toEqual([]);
  });
});
