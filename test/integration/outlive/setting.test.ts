/** With the setting off, the trainers of a window end with it, and the next window gets a list of their runs. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { soon, Windows } from './windows.js';
import { isAlive } from '../../fixtures/isAlive.js';

const windows = Windows.prepare();

describe('with the setting off', () => {
  it('closing ends the trainer with a checkpoint, its own or one it took over; the next window gets all of them, once', async () => {
    // Long enough for a fast machine: nothing has ended when the window closes.
    const first = await windows.open({ stepMs: 12 });
    const adopted = await windows.start(first);
    await first.kill();
    const second = await windows.open({ keepTraining: false, stepMs: 12 });
    const own = await windows.start(second);
    const pids = await Promise.all([adopted, own].map((run) => second.trainerOf(run)));
    await second.close();
    // The trainer that it took over is not its child: it releases the run, and ends a moment later.
    await soon(() => pids.map((pid) => isAlive(pid!))).toEqual([false, false]);
    for (const run of [adopted, own])
      expect((await second.logOf(run)).slice(-2)).toMatchObject([{ event: 'checkpoint' }, { event: 'stopped', reason: 'shutdown' }]); // prettier-ignore
    const third = await windows.open({ keepTraining: false });
    await third.client.waitFor(() => third.left.length > 0);
    const told = third.client.received.filter(({ method }) => method === 'lc/left');
    expect(told).toHaveLength(1);
    expect([...third.left].sort()).toEqual([adopted, own].sort());
    await soon(() => third.kept()).toEqual([]);
    await third.close();
    const fourth = await windows.open({ keepTraining: false });
    await wait(1500);
    expect(fourth.left).toEqual([]);
    for (const run of [adopted, own]) await fourth.client.ask('lc/resume', { run });
    await fourth.until(own, ['done']);
    await fourth.until(adopted, ['done']);
  });

  it('the daemon killed, its trainer writes a checkpoint and ends; the next window gets its run', async () => {
    const first = await windows.open({ keepTraining: false });
    const run = await windows.start(first);
    const pid = (await first.trainerOf(run))!;
    await first.kill();
    const second = await windows.open({ keepTraining: false });
    await second.client.waitFor(() => second.left.length > 0, 0, 5000);
    expect(second.left).toEqual([run]);
    expect(await second.stateOf(run)).toBe('interrupted');
    expect(isAlive(pid)).toBe(false);
  });

  it('switched on while it trains, it goes on; switched off again, it ends', async () => {
    const first = await windows.open({ keepTraining: false });
    const run = await windows.start(first);
    first.client.notify('lc/keepTraining', { on: true });
    await wait(200);
    await first.kill();
    const second = await windows.open({ keepTraining: false });
    expect(await second.stateOf(run)).toBe('running');
    second.client.notify('lc/keepTraining', { on: true });
    const other = await windows.start(second);
    second.client.notify('lc/keepTraining', { on: false });
    await wait(200);
    const pid = (await second.trainerOf(other))!;
    await second.kill();
    await soon(() => isAlive(pid)).toBe(false);
  });
});
