/** A path of budgets as a run: killed and resumed. */
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../daemon/lc/random.js';
import type { PathPoint } from '../../daemon/protocol/events.js';
import type { ResolvedPlan } from '../../daemon/protocol/resolvedPlan.js';
import { pathPoints } from '../../daemon/runs/pathPoints.js';
import { resumeRun, startRun } from '../../daemon/runs/supervisor.js';
import { PLAN } from '../unit/trainer/fakeRun.js';
import { bundleTrainer, type Bundle } from './trainer/bundle.js';

const without = ({ seconds: _, ...point }: PathPoint) => point;

describe('a path run', { timeout: 180_000 }, () => {
  let bundle: Bundle;
  let workspace: string;
  beforeAll(async () => {
    bundle = await bundleTrainer('test/integration/trainer/fakeTrainer.ts');
  });
  afterAll(() => bundle.remove());
  beforeEach(async () => {
    workspace = await realpath(await mkdtemp(join(tmpdir(), 'paths-')));
  });
  afterEach(() => rm(workspace, { recursive: true }));
  const options = () => ({ workspace, trainer: bundle.path });
  const plan: ResolvedPlan = {
    ...PLAN,
    schedule: { ...PLAN.schedule, iterations: 4, tolerance: 0 },
    path: {
      budgets: [40, 20, 10, 5].map((weights) => ({ weights })),
      warmStart: 0.5,
      maxErrorIncrease: 0.1,
      maxError: null,
      refinements: 2,
    },
  };
  /** Every file that is not a log: models of all points, the result. */
  async function files(folder: string): Promise<Record<string, string>> {
    const names = await readdir(folder, { recursive: true });
    const models = names.filter((name) => /^(points|result).*(\.bin|model\.json)$/.test(name)).sort();
    return Object.fromEntries(
      await Promise.all(models.map(async (name) => [name, await readFile(join(folder, name), 'base64')] as const)),
    );
  }

  it('killed at random moments and resumed ends with the same bytes, every point once in the log', async () => {
    process.env['FAKE_STEP_MS'] = '0';
    const whole = await startRun(plan, options());
    expect((await whole.done).event).toBe('done');
    const expected = await files(whole.folder);
    const { points } = await pathPoints(whole.folder);
    expect(points.length).toBeGreaterThanOrEqual(4);
    expect(Object.keys(expected)).toContain(join('points', String(points.length - 1), 'model.json'));
    // What points start from is kept while the run needs it only.
    expect((await readdir(join(whole.folder, 'points'))).sort()).toEqual(
      points.map(({ point }) => String(point)).sort(),
    );

    const random = createRandom(Number(process.env['KILL_SEED'] ?? 23));
    process.env['FAKE_STEP_MS'] = '2';
    let handle = await startRun(plan, options());
    let kills = 0;
    for (;;) {
      let over = false;
      void handle.done.then(() => (over = true));
      if (kills < 5) {
        await wait(150 + random.below(400));
        if (!over) process.kill(handle.pid, 'SIGKILL');
      }
      const last = await handle.done;
      if (last.event === 'done') break;
      kills += 1;
      handle = await resumeRun(handle.folder, options());
    }
    expect(kills).toBeGreaterThan(2);
    expect(await files(handle.folder)).toEqual(expected);
    expect((await pathPoints(handle.folder)).points.map(without)).toEqual(points.map(without));
  });
});
