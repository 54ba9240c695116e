import { describe, expect, it } from 'vitest';
import { muAt } from '../../../daemon/lc/schedule.js';
import { SCHEDULE } from '../../../daemon/plan/defaults.js';
import { parsePlan } from '../../../daemon/plan/parsePlan.js';
import { isSearch, mergedPath, withPath } from '../../../daemon/plan/resolvePath.js';
import { PlanMeaningError, resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import { LAYERS } from '../trainer/fakeRun.js';
import { builtModel } from '../export/builtModel.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import type { Budget } from '../../../daemon/protocol/plan.js';

const context = {
  name: 'p',
  planPath: null,
  modelPath: WorkspacePath.parse('model.json'),
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

describe('the learning rate of a plan', () => {
  it('is exponential without warm-up where the plan is silent, in each section for itself', () => {
    const plan = resolve({ training: { learningRateSchedule: 'cosine', warmup: 1 } });
    expect(plan.training).toMatchObject({ learningRateSchedule: 'cosine', warmup: 1 });
    expect(plan.retrain).toMatchObject({ learningRateSchedule: 'exponential', warmup: 0 });
    expect(plan.reference).toMatchObject({ learningRateSchedule: 'exponential', warmup: 0 });
  });

  it('has a factor only if its schedule has one', () => {
    const contradiction = () => resolve({ retrain: { learningRateSchedule: 'one-cycle', decay: 0.9 } });
    expect(contradiction).toThrow(PlanMeaningError);
    expect(contradiction).toThrow('leave it out with "one-cycle"');
    expect(resolve({ retrain: { learningRateSchedule: 'exponential', decay: 0.8 } }).retrain.decay).toBe(0.8);
  });
});

describe('distillation in a plan', () => {
  it('has its defaults if it is empty, and a temperature of the loss if it names none', () => {
    expect(resolve({ distill: {} }).distill).toEqual({ weight: 0.5, temperature: null });
    expect(resolve({ distill: { weight: 1, temperature: 4 } }).distill).toEqual({ weight: 1, temperature: 4 });
    expect(resolve({}).distill).toBeUndefined();
  });

  it('is all of the target where the data has no labels', () => {
    const data = { source: 'x.csv', labels: false } as const;
    expect(resolve({ data, distill: {} })).toMatchObject({
      data: { labels: false },
      distill: { weight: 1, temperature: null },
    });
    expect(resolve({ data, distill: { weight: 1, temperature: 4 } }).distill).toEqual({ weight: 1, temperature: 4 });
  });

  it.each([
    [{}, ['data', 'labels'], 'add "distill": {} to the plan, or name the labels'],
    [{ distill: { weight: 0.5 } }, ['distill', 'weight'], 'leave the weight out'],
    [{ distill: {}, reference: { epochs: 3 } }, ['reference', 'epochs'], 'trained on labels'],
    [{ distill: {}, model: { architecture: 'lenet300' } as const }, ['model'], 'name a trained model'],
    [{ distill: {}, data: { source: 'x.csv', labels: false, classes: 'text' } as const }, ['data', 'classes'], 'leave it out'],
    [{ distill: {}, data: { source: 'x.csv', labels: false, classWeights: 'balanced' } as const }, ['data', 'classWeights'], 'leave it out'],
  ])('without labels refuses what only labels give: %o', (more, path, message) => {
    try {
      resolve({ data: { source: 'x.csv', labels: false }, ...more });
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof PlanMeaningError)) throw error;
      expect(error.path).toEqual(path);
      expect(error.message).toContain(message);
    }
  }); // prettier-ignore
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

describe('floors and caps of layers with several kernels', () => {
  const layer = (class_name: string, config: object) => ({ class_name, config: { name: class_name.toLowerCase(), ...config } }); // prettier-ignore
  const layersOf = (...layers: object[]) =>
    summarizeModel(builtModel({ class_name: 'Sequential', config: { name: 'm', layers } }));
  const recurrent = layersOf(
    layer('LSTM', { units: 4, batch_input_shape: [null, 5, 3] }),
    layer('Dense', { units: 2, activation: 'linear' }),
  );
  const separable = layersOf(
    layer('SeparableConv2D', { filters: 6, kernel_size: [3, 3], batch_input_shape: [null, 8, 8, 2] }),
    layer('Flatten', {}),
    layer('Dense', { units: 2, activation: 'linear' }),
  );
  const budgetOf = (layers: typeof recurrent, budget: Budget) =>
    resolvePlan({ model: 'model.json', data: 'mnist', budget }, { ...context, layers }).tasks[0]!.budget;

  it.each([
    ['lstm', recurrent],
    ['separableconv2d', separable],
  ] as const)('%s is named as a layer, whatever is counted', (name, layers) => {
    for (const goal of [{ keep: '40%' }, { flops: '40%' }, { pattern: '1:2' }, { bytes: '1 kB' }]) {
      const budget = { ...goal, layers: { [name]: { floor: '10%', cap: '60%' } } };
      expect(budgetOf(layers, budget)).toEqual(budget);
      // A kernel is not a layer.
      const kernel = layers[0]!.weights[0]!.name;
      expect(() => budgetOf(layers, { ...goal, layers: { [kernel]: { floor: '10%' } } })).toThrow(`known: ${name}, dense`); // prettier-ignore
    }
  });

  it('of neurons are those of the filters, and no units of an LSTM are removed', () => {
    const budget = { neurons: 3, layers: { separableconv2d: { floor: '50%' } } };
    expect(budgetOf(separable, budget)).toEqual(budget);
    expect(() => budgetOf(separable, { neurons: 3, layers: { separableconv2d: { floor: '100%' } } })).toThrow('neurons: 3 is below the 6 of the floors'); // prettier-ignore
    expect(() => budgetOf(recurrent, { neurons: 1, layers: { lstm: { floor: '50%' } } })).toThrow(/neurons/);
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

describe('a plan with a goal in place of a budget', () => {
  const goal = { model: 'model.json', data: 'mnist', path: { maxErrorIncrease: '0.5%' } };
  const read = (plan: Plan) => resolvePlan(plan, context);

  it('begins around the budget that is usual for the weights it prunes', () => {
    const all = LAYERS.reduce((sum, { prunable }) => sum + prunable, 0);
    expect(all).toBeLessThan(3000);
    expect(read(goal).tasks).toEqual([{ name: 'all', layers: expect.any(Array) as string[], budget: { keep: '30%' } }]);
    expect(read({ ...goal, budget: { scope: 'layer' } }).tasks[0]!.budget).toEqual({ scope: 'layer', keep: '30%' });
    const { path, name } = withPath(read(goal), goal.path, 'p.prune.json');
    expect(name).toBe('p-path');
    expect(path).toMatchObject({ maxErrorIncrease: 0.005, maxError: null });
    // Small networks: from half of the weights down.
    expect(path!.budgets[0]).toEqual({ keep: '50%' });
    expect(path!.budgets.at(-1)).toEqual({ keep: '2.5%' });
  });

  it('is a search only where nothing else is asked for', () => {
    const isSearched = (plan: Partial<Plan>) => isSearch({ ...goal, ...plan } as Plan);
    expect(isSearched({})).toBe(true);
    expect(isSearched({ path: { maxError: 0.03 } })).toBe(true);
    expect(isSearched({ budget: { layers: { fc1: { floor: '1%' } } } })).toBe(true);
    expect(isSearched({ budget: { keep: '1%' } })).toBe(false);
    expect(isSearched({ budget: { pattern: '2:4' } })).toBe(false);
    expect(isSearched({ budget: { quantize: { codebook: 4 } } })).toBe(false);
    expect(isSearched({ tasks: [] })).toBe(false);
    expect(isSearched({ path: { points: 3 } })).toBe(false);
  });

  it('has one bound: the one that a command adds, else its own', () => {
    expect(mergedPath({ points: 3, maxErrorIncrease: '1%' }, { maxError: '3%' })).toEqual({
      points: 3,
      maxError: '3%',
    });
    expect(mergedPath({ points: 3, maxErrorIncrease: '1%' }, { points: 2 })).toEqual({ points: 2, maxErrorIncrease: '1%' }); // prettier-ignore
    expect(() => withPath(read(goal), { maxError: '3%', maxErrorIncrease: '1%' }, 'p')).toThrow(/two bounds/);
    const problem = (plan: object) => parsePlan(JSON.stringify({ model: 'm', data: 'mnist', ...plan })).problems[0]?.message; // prettier-ignore
    expect(problem({ path: { maxError: '3%' } })).toBeUndefined();
    expect(problem({ path: { maxError: '3%', maxErrorIncrease: '1%' } })).toMatch(/give either "maxErrorIncrease" or "maxError"/); // prettier-ignore
    expect(problem({ path: { points: 3 } })).toMatch(/no budget.*a goal such as/);
    expect(problem({ path: { maxError: '3 ms' } })).toMatch(/maxError|percentage/);
  });
});
