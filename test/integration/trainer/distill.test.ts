/** Distillation in whole runs, each a process of its own: the same bytes after a break, whether the run trains its reference or is given it. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { workspacePath } from '../../../daemon/files/workspacePath.js';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { readEvents, readRunPlan } from '../../../daemon/runs/list/registry.js';
import { resumeRun, startRun } from '../../../daemon/runs/supervisor.js';
import { bundleTrainer, type Bundle } from './bundle.js';
import { CPU_ENGINES, PLAN, result } from './lenetPlan.js';

let bundle: Bundle;
let workspace: string;
beforeAll(async () => {
  bundle = await bundleTrainer('daemon/trainer/process/main.ts');
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'distill-')));
});
afterEach(() => rm(workspace, { recursive: true }));
const options = () => ({ workspace, trainer: bundle.path });

async function finished(plan: ResolvedPlan): Promise<{ folder: string; done: Extract<RunEvent, { event: 'done' }> }> {
  const handle = await startRun(plan, options());
  const done = await handle.done;
  if (done.event !== 'done') throw new Error(JSON.stringify(done));
  return { folder: handle.folder, done };
}

const UNTAUGHT: ResolvedPlan = {
  ...PLAN,
  data: { ...PLAN.data, limit: 800 },
  tasks: [{ ...PLAN.tasks[0]!, budget: { keep: '20%' } }],
  schedule: { ...PLAN.schedule, iterations: 2, epochs: 1, firstEpochs: 1 },
  retrain: { ...PLAN.retrain, epochs: 2 },
  reference: { ...PLAN.reference, epochs: 3 },
};
const TAUGHT: ResolvedPlan = { ...UNTAUGHT, distill: { weight: 0.7, temperature: null } };

/** Kills the run after so many milliseconds, again and again, until it ends. */
async function killed(plan: ResolvedPlan, pauses: readonly number[]): Promise<string> {
  let handle = await startRun(plan, options());
  for (const pause of pauses) {
    await wait(pause);
    await handle.checkpoint().catch(() => undefined);
    try {
      process.kill(handle.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if ((await handle.done).event === 'done') return handle.folder;
    handle = await resumeRun(handle.folder, options());
  }
  const last = await handle.done;
  if (last.event !== 'done') throw new Error(JSON.stringify(last));
  return handle.folder;
}

// Each test is several runs, each a process that loads an engine.
describe('a run that is taught by its reference', { timeout: 240_000 }, () => {
  it.each(CPU_ENGINES)('killed and resumed ends with the same bytes, with a reference of its own, on %s', async (engine) => {
    const plan = { ...TAUGHT, engine };
    const { folder, done } = await finished(plan);
    expect(await readRunPlan(folder)).toMatchObject({ distill: { weight: 0.7, temperature: 2 } });
    expect(await result(await killed(plan, [2_500, 1_500]))).toEqual(await result(folder));
    // The reference is trained on the labels alone, everything after it is not.
    const untaught = await finished({ ...UNTAUGHT, engine });
    expect(done.reference).toEqual(untaught.done.reference);
    expect(await result(folder)).not.toEqual(await result(untaught.folder));
  }); // prettier-ignore

  it('learns from a given reference alone, on augmented images, and resumes with the same bytes', async () => {
    const { folder } = await finished({ ...UNTAUGHT, method: 'reference' });
    const plan: ResolvedPlan = {
      ...TAUGHT,
      model: { path: workspacePath(workspace, join(folder, 'result', 'model.json')) },
      data: { ...TAUGHT.data, augment: { flip: false, shift: 1 } },
      reference: { ...PLAN.reference, epochs: 0 },
      distill: { weight: 1, temperature: 4 },
    };
    const whole = await finished(plan);
    const { events } = await readEvents(whole.folder, 0, 100_000);
    const batches = events.filter((event) => event.event === 'batch');
    // A network that is its own teacher has nothing to learn: the first loss is the divergence of the reference from itself.
    expect(batches[0]!.loss).toBeLessThan(1e-3);
    expect(await result(await killed(plan, [1_500]))).toEqual(await result(whole.folder));
  });
});
