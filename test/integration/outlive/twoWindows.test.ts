/** Two windows on one workspace: one daemon looks after a run, and one trainer writes it. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lockOwner } from '../../../daemon/trainer/process/lock.js';
import { runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { inLog } from './window.js';
import { soon, Windows } from './windows.js';

const windows = Windows.prepare();

describe('two windows', () => {
  it('that come at once share what is left: one looks after it, both show it, one writer', async () => {
    // Long enough for a fast machine: the run has not ended when it is steered last.
    const first = await windows.open({ stepMs: 12 });
    const run = await windows.start(first);
    const pid = await first.trainerOf(run);
    await first.kill();
    const [second, third] = await Promise.all([windows.open(), windows.open()]);
    const keeper = (await lockOwner(runPaths(second.folderOf(run)).keeper))!.pid;
    expect([second, third].map((window) => window.daemon.hello.pid)).toContain(keeper);
    const followed = await Promise.all([second, third].map((window) => window.follow(run)));
    // The window that does not supervise it can steer it, too.
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
    const first = await windows.open({ keepTraining: false });
    const run = await windows.start(first);
    process.kill((await first.trainerOf(run))!, 'SIGKILL');
    await first.kill();
    // The steps are slow, so that the run lasts longer than the second window waits.
    const [second, third] = await Promise.all([windows.open({ stepMs: 25 }), windows.open({ stepMs: 25 })]);
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
    const first = await windows.open({ keepTraining: false });
    const run = await windows.start(first);
    await first.until(run, ['running']);
    await wait(1500);
    process.kill((await first.trainerOf(run))!, 'SIGKILL');
    await first.kill();
    const [second, third] = await Promise.all([windows.open({ stepMs: 1 }), windows.open({ stepMs: 1 })]);
    const answers = await Promise.all([second, third].map(({ client }) => client.request('lc/resume', { run })));
    await second.until(run, ['done']);
    const refusals = answers.flatMap(({ error }) => (error ? [error.message] : []));
    // The second window asks the first one's trainer to go on.
    expect(refusals.length).toBeLessThan(2);
    for (const message of refusals) expect(message).toMatch(/work(ing|ed) on|is finished/);
    await wait(1000);
    const log = await second.logOf(run);
    expect(await second.trainerOf(run)).toBeNull();
    expect(log.filter(({ event }) => event === 'done')).toHaveLength(1);
    expect(log.filter(({ event }) => event === 'start')).toHaveLength(2);
  });
});
