import { describe, expect, it } from 'vitest';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import { resolvePlan } from '../../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../../daemon/protocol/paths.js';
import type { Plan } from '../../../../daemon/protocol/plan.js';
import { fitPlan, microBatchOf } from '../../../../daemon/trainer/batchSize/fitPlan.js';
import { fitToMemory } from '../../../../daemon/trainer/batchSize/fitToMemory.js';

const GiB = 2 ** 30;
const spec = { loss: 'categoricalCrossentropy', seed: 0 } as const;
const lenet = buildArchitecture('lenet5', 1);
const resnet = buildArchitecture('resnet20', 1);

const planOf = (model: LayersModel, more: Partial<Plan> = {}) =>
  resolvePlan(
    { model: 'm.json', data: 'd.npz', budget: { keep: '10%' }, ...more },
    {
      name: 'm',
      planPath: null,
      modelPath: WorkspacePath.parse('m.json'),
      dataPath: (path) => path,
      layers: summarizeModel(model),
    },
  );
const named = (model: LayersModel, batchSize: number) => planOf(model, { training: { batchSize } });

describe('batches that fit into memory', () => {
  it('stay as they are where there is room', async () => {
    for (const [model, plan] of [[lenet, planOf(lenet)], [resnet, planOf(resnet)], [resnet, named(resnet, 512)]] as const)
      expect(await fitToMemory(plan, model, spec, 16 * GiB)).toEqual({ plan, notes: [] });
  }); // prettier-ignore

  it('are the largest power of two that fits where the plan is silent, and a note says so', async () => {
    const plan = planOf(resnet);
    const { plan: tight, notes } = await fitToMemory(plan, resnet, spec, 1 * GiB);
    const { batchSize, microBatch } = tight.training;
    expect(batchSize).toBeLessThan(256);
    expect(Number.isInteger(Math.log2(batchSize))).toBe(true);
    expect(microBatch).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(new RegExp(`Batches have ${batchSize} samples, for memory`))]);
    const { plan: tighter } = await fitToMemory(plan, resnet, spec, 0.5 * GiB);
    expect(tighter.training.batchSize).toBeLessThan(batchSize);
    expect(tighter.retrain.batchSize).toBe(tighter.training.batchSize);
  });

  it('that the plan names are computed in equal parts where that is the same', async () => {
    const plan = named(lenet, 6000);
    const { plan: fitted, notes } = await fitToMemory(plan, lenet, spec, 0.5 * GiB);
    const { batchSize, microBatch } = fitted.training;
    expect(batchSize).toBe(6000);
    expect(microBatch).toBeLessThan(6000);
    expect(6000 % microBatch!).toBe(0);
    expect(microBatchOf(fitted, 6000)).toBe(microBatch);
    expect(notes).toEqual([expect.stringMatching(new RegExp(`6000 samples are computed in ${6000 / microBatch!} parts of ${microBatch}`))]); // prettier-ignore
  });

  it('that the plan names and batch normalisation forbids to divide are refused, with one that does fit', async () => {
    const free = 0.5 * GiB;
    const refusal = await fitToMemory(named(resnet, 1000), resnet, spec, free).catch((error: Error) => error);
    expect(refusal).toMatchObject({ code: 'plan-invalid', details: { field: 'training.batchSize' } });
    const fits = Number(/a batch of (\d+) fits/.exec((refusal as Error).message)![1]);
    expect(fits).toBeGreaterThan(0);
    const plan = named(resnet, fits);
    expect(await fitToMemory(plan, resnet, spec, free)).toEqual({ plan, notes: [] });
    await expect(fitToMemory(named(resnet, fits + 1), resnet, spec, free)).rejects.toThrow(/a batch of/);
  });

  it('are refused where not even a sample fits', async () => {
    await expect(fitToMemory(planOf(resnet), resnet, spec, 0.1 * GiB)).rejects.toThrow(/single sample/);
  });

  it('are chosen once: a plan that has started is left as it is', async () => {
    const started = { ...planOf(resnet), dataHash: 'x' };
    expect(await fitPlan(started, 10, resnet, spec, 0.1 * GiB)).toEqual({ plan: started, notes: [] });
    const { plan } = await fitPlan(planOf(resnet), 50_000, resnet, spec, 1 * GiB);
    expect(plan.open).toBeUndefined();
    expect(plan.training.batchSize).toBeLessThan(256);
  });
});
