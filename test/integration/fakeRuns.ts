/** Runs of real trainer processes over the fake engine, each test in its own workspace. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { RunEvent } from '../../daemon/protocol/events.js';
import { startRun, type RunHandle } from '../../daemon/runs/supervisor.js';
import { PLAN } from '../unit/trainer/fakeRun.js';
import { bundleTrainer, type Bundle } from './trainer/bundle.js';

export const plan = { ...PLAN, schedule: { ...PLAN.schedule, tolerance: 0 } };

export class FakeRuns {
  /** The workspace of the current test. */
  workspace = '';
  #bundle: Bundle | undefined;

  /** Builds the trainer before the tests of a file, and gives each test a workspace. */
  static prepare(): FakeRuns {
    const runs = new FakeRuns();
    beforeAll(async () => {
      runs.#bundle = await bundleTrainer('test/integration/trainer/fakeTrainer.ts');
    });
    afterAll(() => runs.#bundle?.remove());
    beforeEach(async () => {
      runs.workspace = await realpath(await mkdtemp(join(tmpdir(), 'runs-')));
      delete process.env['FAKE_CRASH_AT'];
      delete process.env['FAKE_LOAD_ERROR'];
      process.env['FAKE_STEP_MS'] = '0';
    });
    afterEach(() => rm(runs.workspace, { recursive: true }));
    return runs;
  }

  get trainer(): string {
    return this.#bundle!.path;
  }

  options(): { workspace: string; trainer: string } {
    return { workspace: this.workspace, trainer: this.trainer };
  }

  /** A run from its start to its last event. */
  async whole(): Promise<{ handle: RunHandle; events: RunEvent[]; last: RunEvent }> {
    const handle = await startRun(plan, this.options());
    const events: RunEvent[] = [];
    handle.onEvent((event) => events.push(event));
    const last = await handle.done;
    return { handle, events, last };
  }
}
