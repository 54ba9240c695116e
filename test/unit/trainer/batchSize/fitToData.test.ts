import { describe, expect, it } from 'vitest';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { resolvePlan } from '../../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../../daemon/protocol/paths.js';
import type { Plan } from '../../../../daemon/protocol/plan.js';
import { fitToData } from '../../../../daemon/trainer/batchSize/fitToData.js';

const layers = summarizeModel(buildArchitecture('lenet300', 1));
const planOf = (more: Partial<Plan> = {}) =>
  resolvePlan(
    { model: 'm.json', data: 'd.csv', budget: { keep: '1%' }, ...more },
    { name: 'm', planPath: null, modelPath: WorkspacePath.parse('m.json'), dataPath: (path) => path, layers },
  );

describe('defaults for few samples', () => {
  it.each([1, 7, 15, 16, 17, 120, 150, 255, 256, 1000, 2047, 2048, 60_000])('of %d samples no batch is too large, none of few small, and the usual one stays where it can', (samples) => {
    const { training, retrain, reference } = fitToData(planOf(), samples).plan;
    expect(training.batchSize).toBeLessThanOrEqual(samples);
    expect(training.batchSize).toBeGreaterThanOrEqual(Math.min(16, samples));
    expect([retrain.batchSize, reference.batchSize]).toEqual([training.batchSize, training.batchSize]);
    if (samples >= 2048) expect(training.batchSize).toBe(256);
    if (samples >= 128) expect(Math.floor(samples / training.batchSize)).toBeGreaterThanOrEqual(7);
  }); // prettier-ignore

  it('says what it chose, and why', () => {
    const { batches, epochs } = fitToData(planOf(), 120);
    expect(batches).toEqual([expect.stringMatching(/Batches have 16 samples, not 256.*120 to train on/)]);
    expect(epochs).toEqual([]);
    expect(fitToData(planOf(), 60_000)).toMatchObject({ plan: planOf(), batches: [], epochs: [] });
  });

  it('makes up for the steps that few samples lack', () => {
    const { plan, epochs } = fitToData(planOf(), 20);
    // One batch of 16 an epoch: seven times the epochs.
    expect(plan.schedule).toMatchObject({ epochs: 21, firstEpochs: 21 });
    expect(plan.retrain.epochs).toBe(140);
    // Of a model that is given there is nothing to train.
    expect(plan.reference.epochs).toBe(0);
    expect(epochs).toEqual([expect.stringMatching(/"schedule.epochs" 21.*"retrain.epochs" 140/)]);
  });

  it('leaves alone what the plan names', () => {
    const named = planOf({ training: { batchSize: 64 }, schedule: { epochs: 2 }, retrain: { epochs: 5 } });
    expect(fitToData(named, 20)).toEqual({ plan: named, batches: [], epochs: [] });
    const { plan } = fitToData(planOf({ retrain: { batchSize: 100 } }), 120);
    expect([plan.training.batchSize, plan.retrain.batchSize]).toEqual([16, 100]);
  });
});
