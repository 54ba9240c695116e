/** Whole runs without labels, each a process of its own. */
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { workspacePath } from '../../../daemon/files/workspacePath.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { readEvents } from '../../../daemon/runs/list/registry.js';
import { readFinish } from '../../../daemon/runs/results/finish.js';
import { finishText } from '../../../daemon/protocol/finishText.js';
import { startRun } from '../../../daemon/runs/supervisor.js';
import { bundleTrainer, type Bundle } from './bundle.js';
import { PLAN } from './lenetPlan.js';

let bundle: Bundle;
let workspace: string;
beforeAll(async () => {
  bundle = await bundleTrainer('daemon/trainer/process/main.ts');
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'unlabelled-')));
});
afterEach(() => rm(workspace, { recursive: true }));

async function finished(plan: ResolvedPlan) {
  const handle = await startRun(plan, { workspace, trainer: bundle.path });
  const done = await handle.done;
  if (done.event !== 'done') throw new Error(JSON.stringify(done));
  return { folder: handle.folder, done };
}

async function weightsOf(folder: string): Promise<Buffer> {
  const [name, ...others] = (await readdir(join(folder, 'result'))).filter((file) => file.endsWith('.bin'));
  expect(others).toEqual([]);
  return readFile(join(folder, 'result', name!));
}

// Each is a process that loads an engine.
describe('a run without labels', { timeout: 600_000 }, () => {
  it('ends with the weights of one whose labels have no weight, to the last bit, and reports no error of labels', async () => {
    const labelled: ResolvedPlan = {
      ...PLAN,
      data: { ...PLAN.data, limit: 800 },
      tasks: [{ ...PLAN.tasks[0]!, budget: { keep: '5%' } }],
      schedule: { ...PLAN.schedule, iterations: 2, epochs: 1, firstEpochs: 1 },
      // Without a choice of the best epoch, which is by the loss of what is known.
      retrain: { ...PLAN.retrain, epochs: 0 },
      reference: { ...PLAN.reference, epochs: 3 },
    };
    const { folder } = await finished({ ...labelled, method: 'reference' });
    const plan: ResolvedPlan = {
      ...labelled,
      model: { path: workspacePath(workspace, join(folder, 'result', 'model.json')) },
      reference: { ...PLAN.reference, epochs: 0 },
      distill: { weight: 1, temperature: 3 },
    };
    const taught = await finished(plan);
    const alone = await finished({ ...plan, data: { ...plan.data, labels: false } });
    expect(await weightsOf(alone.folder)).toEqual(await weightsOf(taught.folder));

    // The reference differs from itself nowhere; the pruned network does, and not by the share of its wrong answers.
    expect(alone.done.reference).toMatchObject({ error: 0, target: 'reference' });
    expect(alone.done.retrained.target).toBe('reference');
    expect(alone.done.retrained.error).toBeGreaterThan(0);
    expect(taught.done.retrained.target).toBeUndefined();
    const [own, labels] = [alone.done.retrained.error!, taught.done.retrained.error!];
    // Both networks are wrong where they agree, or only one is where they differ.
    expect(Math.abs(labels - taught.done.reference.error!)).toBeLessThanOrEqual(own + 1e-9);

    const { events } = await readEvents(alone.folder, 0, 100_000);
    const evaluations = events.filter((event) => event.event === 'evaluation');
    expect(evaluations.length).toBeGreaterThan(3);
    expect(evaluations.every(({ target }) => target === 'reference')).toBe(true);
    const batches = events.filter((event) => event.event === 'batch');
    expect(batches[0]!.loss).toBeLessThan(1e-3);
    expect(finishText((await readFinish(alone.folder))!)).toMatch(/% of the samples answered differently from the reference \(test\)$/); // prettier-ignore
  });
});
