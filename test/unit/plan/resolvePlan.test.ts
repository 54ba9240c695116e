import { describe, expect, it } from 'vitest';
import { muAt } from '../../../daemon/lc/schedule.js';
import { SCHEDULE } from '../../../daemon/plan/defaults.js';
import { PlanMeaningError, resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import { LAYERS } from '../trainer/fakeRun.js';

const context = {
  name: 'p',
  planPath: null,
  modelPath: 'model.json',
  dataPath: (path: string) => path,
  layers: LAYERS,
};
const resolve = (changes: Partial<Plan>) =>
  resolvePlan({ model: 'model.json', data: 'mnist', budget: { keep: '10%' }, ...changes }, context);
const muEnd = ({ schedule }: ReturnType<typeof resolve>) => muAt(schedule, schedule.iterations - 1);

describe('the schedule of a plan', () => {
  it('is the default, bit for bit, where the plan is silent or says the default', () => {
    expect(resolve({}).schedule).toEqual(SCHEDULE);
    expect(resolve({ schedule: { iterations: SCHEDULE.iterations } }).schedule.a).toBe(SCHEDULE.a);
  });

  it('ends at the same mu with fewer iterations, and where muEnd says', () => {
    for (const iterations of [2, 6, 10, 80])
      expect(muEnd(resolve({ schedule: { iterations } }))).toBeCloseTo(muEnd(resolve({})), 10);
    expect(muEnd(resolve({ schedule: { mu0: 1e-3, muEnd: 2, iterations: 9 } }))).toBeCloseTo(2, 10);
    expect(resolve({ schedule: { a: 1.3, iterations: 9 } }).schedule.a).toBe(1.3);
    expect(resolve({ schedule: { iterations: 1 } }).schedule.a).toBe(SCHEDULE.a);
    expect(resolve({ schedule: { muEnd: 1 } }).schedule).not.toHaveProperty('muEnd');
  });

  it.each([
    [{ a: 1.2, muEnd: 1 }, /either "a" or "muEnd"/],
    [{ mu0: 1e-2, muEnd: 1e-3 }, /above mu0, which is 0.01/],
  ])('refuses %o', (schedule, message) => {
    expect(() => resolve({ schedule })).toThrow(PlanMeaningError);
    expect(() => resolve({ schedule })).toThrow(message);
  });
});

describe('layers that a plan names', () => {
  it('are there: a name that no layer has is an error, also where the model has no layer of that kind', () => {
    expect(LAYERS.some(({ frozen }) => frozen)).toBe(false);
    expect(() => resolve({ unfreeze: ['block5*'] })).toThrow(PlanMeaningError);
    expect(() => resolve({ unfreeze: ['block5*'] })).toThrow('no layer of the model is frozen');
    expect(resolve({ unfreeze: true }).unfreeze).toEqual([]);
    expect(() => resolve({ exclude: ['block5*'] })).toThrow(/no prunable layer is called "block5\*"/);
  });
});

describe('learning rates of a plan', () => {
  it('retraining follows training unless it has its own', () => {
    expect(resolve({}).retrain.learningRate).toBe(0.05);
    expect(resolve({ training: { learningRate: 0.01 } }).retrain.learningRate).toBe(0.005);
    expect(resolve({ training: { learningRate: 0.01 }, retrain: { learningRate: 0.2 } }).retrain.learningRate).toBe(
      0.2,
    );
  });

  it('are open where the plan names none', () => {
    expect(resolve({}).openRates).toEqual(['reference', 'training', 'retrain']);
    expect(resolve({ training: { learningRate: 0.1 } }).openRates).toEqual(['reference', 'retrain']);
    const all = { learningRate: 0.1 };
    expect(resolve({ training: all, retrain: all, reference: all }).openRates).toEqual([]);
  });
});
