/**
 * The shipped bundles and a real (small) prune, its window reloaded in the middle, and daemon and trainer killed. Needs `npm run build`.
 * LC_PRUNE_KILLS: how many kills (default 8); LC_PRUNE_KILL_SEED: at which moments. `npm run test:kills` does 200.
 */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { inLog, resultOf, Window } from './window.js';

const KILLS = Number(process.env['LC_PRUNE_KILLS'] ?? 8);
const SEED = Number(process.env['LC_PRUNE_KILL_SEED'] ?? 11);
const script = resolve('dist', 'daemon.mjs');

const plan = (iterations: number, epochs: number) => ({
  ...TINY_PLAN,
  engine: 'native-cpu',
  schedule: { ...TINY_PLAN.schedule, iterations, epochs, tolerance: 0 },
});

let tiny: TinyWorkspace;
const windows: Window[] = [];

async function open(keepTraining = true): Promise<Window> {
  const window = await Window.open({ script, workspace: tiny.folder, keepTraining });
  windows.push(window);
  return window;
}
const start = async (window: Window) =>
  (await window.client.ask('lc/start', { planPath: tiny.path('tiny.prune.json'), seed: 5 })).run;

/** The numbers of a run: its whole log without times, speeds and paths, and without batches, which are logged by time. */
function figuresOf(log: readonly RunEvent[]): unknown[] {
  const left = ['time', 'seconds', 'etaSeconds', 'run', 'folder', 'file'];
  return log
    .filter(({ event }) => !['batch', 'checkpoint', 'start'].includes(event))
    .map((event) => Object.fromEntries(Object.entries(event).filter(([name]) => !left.includes(name))));
}

async function uninterrupted(): Promise<{ result: Record<string, string>; log: RunEvent[]; seconds: number }> {
  const window = await open();
  const began = performance.now();
  const run = await start(window);
  const started = performance.now();
  await window.until(run, ['done'], 60_000);
  const seconds = (performance.now() - started) / 1000;
  console.log(`uninterrupted: ${((started - began) / 1000).toFixed(2)} s to start, ${seconds.toFixed(2)} s`);
  const whole = { result: await resultOf(window.folderOf(run)), log: await window.logOf(run), seconds };
  await window.close();
  return whole;
}

afterAll(async () => {
  for (const window of windows) {
    if (window.daemon.alive) window.client.notify('lc/keepTraining', { on: false });
    await window.close();
    expect(window.daemon.stderr).not.toMatch(/uncaught|unhandled/i);
  }
});

describe('a window that reloads five times in the middle of a run', () => {
  beforeAll(async () => void (tiny = await tinyWorkspace(plan(12, 8000))));
  afterAll(() => tiny.remove());

  it(
    'has the whole curve, and the result is that of an uninterrupted run, to the last bit',
    { timeout: 300_000 },
    async () => {
      const whole = await uninterrupted();
      let window = await open();
      const run = await start(window);
      const pid = await window.trainerOf(run);
      let before = (await window.follow(run)).all;
      for (let reload = 0; reload < 5; reload++) {
        await window.close();
        window = await open();
        const followed = await window.follow(run);
        await window.client.waitFor(() => followed.all.curve.length > before.curve.length);
        expect(await window.trainerOf(run)).toBe(pid);
        const now = followed.all;
        // The earlier content is still shown, and more.
        expect(now.curve.slice(0, before.curve.length)).toEqual(before.curve);
        expect(now.events.slice(0, before.events.length)).toEqual(before.events);
        before = now;
      }
      expect(await window.stateOf(run)).toBe('running');
      const followed = await window.follow(run);
      await window.until(run, ['done'], 120_000);
      await window.client.waitFor(() => followed.all.events.at(-1)?.event === 'done');
      await wait(300);
      const log = await window.logOf(run);
      expect(followed.all).toEqual(inLog(log));
      const steps = log.flatMap((event) => (event.event === 'batch' ? [event.step] : []));
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      expect(figuresOf(log)).toEqual(figuresOf(whole.log));
      expect(await resultOf(window.folderOf(run))).toEqual(whole.result);
    },
  );
});

describe(`kill -9 of daemon, of trainer, of both, ${KILLS} times`, () => {
  beforeAll(async () => void (tiny = await tinyWorkspace(plan(4, 150))));
  afterAll(() => tiny.remove());

  it(
    'ends in a finished run after at most one click, with the bytes of a run that nothing ended',
    { timeout: 60_000 + 30_000 * KILLS },
    async () => {
      const random = createRandom(SEED, 4);
      const whole = await uninterrupted();
      let clicks = 0;
      let window = await open();
      for (let kill = 0; kill < KILLS; kill++) {
        const what = (['daemon', 'trainer', 'both'] as const)[kill % 3]!;
        const keepTraining = random.next() < 0.5;
        window.client.notify('lc/keepTraining', { on: keepTraining });
        const run = await start(window);
        // At any moment, its very beginning and its end among them.
        await wait(random.next() * 1000 * whole.seconds);
        const note = `kill ${kill} (seed ${SEED}): ${what}, ${keepTraining ? 'kept' : 'not kept'}`;
        const pid = await window.trainerOf(run);
        if (what !== 'daemon' && pid !== null) process.kill(pid, 'SIGKILL');
        if (what !== 'trainer') {
          await window.kill();
          window = await open(keepTraining);
        }
        const states = ['done', 'interrupted', 'crashed', 'failed'] as const;
        const state = await window.until(run, states, 30_000);
        if (state !== 'done') {
          expect(state, note).toBe('interrupted');
          clicks += 1;
          await window.client.ask('lc/resume', { run });
        }
        await window.until(run, ['done'], 30_000);
        expect(await resultOf(window.folderOf(run)), note).toEqual(whole.result);
        await rm(window.folderOf(run), { recursive: true });
      }
      console.log(`${KILLS} kills, ${clicks} clicks`);
      expect(clicks).toBeLessThanOrEqual(KILLS);
      await window.close();
    },
  );
});
