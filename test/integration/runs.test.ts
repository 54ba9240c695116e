/** Real trainer processes over the fake engine: killing, resuming, stopping, crashing, full disks. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../daemon/lc/random.js';
import { listRuns } from '../../daemon/runs/list/listRuns.js';
import { runSummary } from '../../daemon/runs/list/registry.js';
import { resumeRun, startRun } from '../../daemon/runs/supervisor.js';
import { FakeRuns, plan } from './fakeRuns.js';
import { isAlive } from '../fixtures/isAlive.js';
import { history, theta } from './runFiles.js';

const runs = FakeRuns.prepare();
const options = () => runs.options();
const whole = () => runs.whole();

describe('a run', { timeout: 180_000 }, () => {
  it('goes from start to done, and everything is in its folder', async () => {
    const { handle, events, last } = await whole();
    expect(last).toMatchObject({ event: 'done', kept: 12, prunable: 80, folder: handle.folder });
    expect(await history(handle.folder)).toEqual(events);
    expect(events.map(({ event }) => event).slice(0, 1)).toEqual(['start']);
    expect((await readdir(handle.folder)).sort()).toEqual([
      'checkpoints',
      'events.jsonl',
      'plan.json',
      'reference',
      'result',
    ]);
    expect((await readdir(join(handle.folder, 'result'))).sort()).toEqual(
      expect.arrayContaining(['model.json', 'report.html', 'report.md', 'result.json']),
    );
    const { time: _, ...done } = last;
    expect(JSON.parse(await readFile(join(handle.folder, 'result', 'result.json'), 'utf8'))).toEqual(done);
    expect(JSON.parse(await readFile(join(handle.folder, 'plan.json'), 'utf8'))).toMatchObject({
      modelHash: 'model',
      dataHash: 'data',
    });
    expect(await runSummary(handle.folder)).toMatchObject({
      state: 'done',
      progress: 1,
      iteration: 12,
      iterations: 12,
    });
    await expect(resumeRun(handle.id, options())).rejects.toMatchObject({ code: 'run-invalid' });
    expect(isAlive(handle.pid)).toBe(false);
  });

  it('killed at random moments and resumed ends with the same bytes, its history without a repeated step', async () => {
    const expected = await theta((await whole()).handle.folder);
    expect(expected.length).toBeGreaterThanOrEqual(2);
    const random = createRandom(Number(process.env['KILL_SEED'] ?? 11));
    process.env['FAKE_STEP_MS'] = '3';
    for (let round = 0; round < 2; round++) {
      let handle = await startRun(plan, options());
      let kills = 0;
      for (;;) {
        const killed = wait(60 + random.below(400)).then(
          () => kills < 5 && handle.pid && isAlive(handle.pid) && process.kill(handle.pid, 'SIGKILL'),
        );
        const last = await handle.done;
        await killed;
        if (last.event === 'done') break;
        expect(last).toMatchObject({ event: 'failed', message: expect.stringContaining('SIGKILL') });
        expect((await runSummary(handle.folder)).state).toBe('interrupted');
        kills += 1;
        handle = await resumeRun(handle.folder, options());
      }
      expect(kills).toBeGreaterThan(2);
      expect(await theta(handle.folder)).toEqual(expected);
      const steps = (await history(handle.folder)).flatMap((event) => (event.event === 'batch' ? [event.step] : []));
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      expect(steps.at(-1)).toBe(10 * (5 + 3 + 11 * 2 + 4));
      const iterations = (await history(handle.folder)).flatMap((event) =>
        event.event === 'iteration' ? [event.iteration] : [],
      );
      expect(iterations).toEqual(Array.from({ length: 12 }, (_, j) => j));
    }
  });

  it('pauses, resumes, stops and is resumed, from outside', async () => {
    const expected = await theta((await whole()).handle.folder);
    process.env['FAKE_STEP_MS'] = '12';
    const handle = await startRun(plan, options());
    await handle.pause();
    expect((await runSummary(handle.folder)).state).toBe('paused');
    await expect(resumeRun(handle.id, options())).rejects.toMatchObject({
      code: 'run-invalid',
      message: expect.stringContaining(String(handle.pid)),
    });
    await handle.resume();
    await handle.checkpoint();
    expect((await runSummary(handle.folder)).state).toBe('running');
    await handle.stop('user');
    expect(await handle.done).toMatchObject({ event: 'stopped', reason: 'user' });
    expect(isAlive(handle.pid)).toBe(false);
    expect((await runSummary(handle.folder)).state).toBe('stopped');
    await expect(handle.pause()).rejects.toMatchObject({ code: 'run-invalid' });
    process.env['FAKE_STEP_MS'] = '0';
    const resumed = await resumeRun(handle.id, options());
    expect((await resumed.done).event).toBe('done');
    expect(await theta(handle.folder)).toEqual(expected);
  });

  it('takes a new budget, and refuses an impossible one with the nearest', async () => {
    process.env['FAKE_STEP_MS'] = '12';
    const handle = await startRun(plan, options());
    await expect(handle.setBudget({ weights: 81 })).rejects.toMatchObject({
      code: 'budget-impossible',
      message: expect.stringContaining('80'),
    });
    await handle.setBudget({ weights: 5 });
    // What was promised survives a kill.
    process.kill(handle.pid, 'SIGKILL');
    await handle.done;
    process.env['FAKE_STEP_MS'] = '0';
    const resumed = await resumeRun(handle.id, options());
    expect(await resumed.done).toMatchObject({ event: 'done', kept: 5 });
  });

  it('two at once do not disturb each other, and two resumptions of one are refused', async () => {
    process.env['FAKE_STEP_MS'] = '2';
    const [a, b] = await Promise.all([startRun(plan, options()), startRun(plan, options())]);
    expect(a.id).not.toBe(b.id);
    await a.stop('user');
    const attempts = await Promise.allSettled([resumeRun(a.folder, options()), resumeRun(a.folder, options())]);
    expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const again = attempts.find((attempt) => attempt.status === 'fulfilled')!.value;
    const ends = await Promise.all([again.done, b.done]);
    expect(ends.map(({ event }) => event)).toEqual(['done', 'done']);
    expect(await theta(again.folder)).toEqual(await theta(b.folder));
    expect((await listRuns(runs.workspace)).map(({ state }) => state)).toEqual(['done', 'done']);
  });
});
