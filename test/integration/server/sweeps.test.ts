/** Sweeps of the command line as a daemon shows, stops and tabulates them. Needs `npm run build`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { Daemon, type Client } from './harness.js';

const PLAN = { ...TINY_PLAN, engine: 'native-cpu', schedule: { ...TINY_PLAN.schedule, iterations: 8, epochs: 60, tolerance: 0 } }; // prettier-ignore
/** The second point takes seconds on any machine: it is stopped in the middle. */
const OVER = 'schedule.epochs=60,1000,61';

let ws: TinyWorkspace;
let daemon: Daemon;
let client: Client;
let child: ChildProcess | undefined;
beforeAll(async () => {
  ws = await tinyWorkspace(PLAN);
  daemon = await Daemon.start('dist/daemon.mjs');
  client = await daemon.client([ws.folder]);
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await client.close();
  await daemon.close();
  await ws.remove();
});

describe('a sweep in a terminal', () => {
  it('is listed while it runs, stopped with checkpoints, and continued', { timeout: 240_000 }, async () => {
    expect(await client.ask('lc/sweeps', null)).toEqual([]);
    const args = ['sweep', 'tiny.prune.json', '--over', OVER];
    child = spawn(process.execPath, [resolve('dist', 'cli.mjs'), ...args], { cwd: ws.folder });
    const ended = once(child, 'close');
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    while (!/^1\/3 .*error/m.test(stderr) && child.exitCode === null) await wait(50);
    const [sweep] = await client.ask('lc/sweeps', null);
    expect(sweep).toMatchObject({ name: 'tiny', planPath: 'tiny.prune.json', isRunning: true });
    expect(sweep!.points.map(({ values }) => values)).toEqual(['schedule.epochs=60', 'schedule.epochs=1000', 'schedule.epochs=61']);
    const first = (await client.ask('lc/runs', null)).find(({ folder }) => folder === sweep!.points[0]!.run);
    expect(first).toMatchObject({ state: 'done' });

    await client.ask('lc/stopSweep', { sweep: sweep!.sweep });
    expect(await ended).toEqual([130, null]);
    const [after] = await client.ask('lc/sweeps', null);
    expect(after).toMatchObject({ isRunning: false });
    const states = (await client.ask('lc/runs', null)).map(({ state }) => state).sort();
    expect(states).toEqual(['done', 'stopped']);
    const again = await client.refused('lc/stopSweep', { sweep: sweep!.sweep });
    expect(again.message).toContain('is running or queued; lc-prune sweep continues it');

    const { rows, markdown } = await client.ask('lc/sweepTable', { sweep: sweep!.sweep });
    expect(rows).toBe(1);
    expect(await readFile(markdown, 'utf8')).toContain('| 60 | lc | 1 |');
    // The same numbers, with the runs that they are of.
    const { set, rows: results } = await client.ask('lc/sweepResults', { sweep: sweep!.sweep });
    expect(results).toHaveLength(rows);
    expect(results[0]).toMatchObject({
      values: { 'schedule.epochs': 60 },
      method: 'lc',
      runs: 1,
      folders: [sweep!.points[0]!.run],
      error: { mean: first!.error, deviation: null },
      kept: first!.kept,
      prunable: first!.prunable,
    });
    expect(set).toBe('test');

    const rest = await lcPrune(['sweep', sweep!.sweep, '--json'], { cwd: ws.folder, timeout: 200_000 });
    expect(rest, rest.stderr).toMatchObject({ code: 0 });
    expect(await client.ask('lc/sweepTable', { sweep: sweep!.sweep })).toMatchObject({ rows: 3 });
  });

  it('is no folder of another kind', async () => {
    for (const method of ['lc/sweepTable', 'lc/sweepResults'] as const)
      expect((await client.refused(method, { sweep: ws.folder })).message).toContain('is no folder of a sweep');
    const outside = await client.refused('lc/stopSweep', { sweep: '/etc' });
    expect(outside.message).toMatch(/outside|leads out/);
  });
}); // prettier-ignore
