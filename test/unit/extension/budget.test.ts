import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { parsePlan } from '../../../daemon/plan/parsePlan.js';
import {
  withBound,
  withBudget,
  withExcluded,
  withFloors,
  withLayerLimits,
  withLearningRate,
} from '../../../extension/budget/editPlan.js';

describe('editing a plan', () => {
  const PLAN = `{
  // keep this
  "model": "m.json",
  "budget": { "keep": "5%", "norm": "l1", "layers": { "fc1": { "floor": "1%" } } }, // and this
  "seed": 3
}
`;

  test('a new budget replaces the amount and nothing else', () => {
    const text = withBudget(PLAN, { bytes: '40 kB' });
    expect(parse(text)).toEqual({
      model: 'm.json',
      budget: { bytes: '40 kB', norm: 'l1', layers: { fc1: { floor: '1%' } } },
      seed: 3,
    });
    // What is typed replaces what the plan had beside the amount.
    const units = '{ "model": "m", "budget": { "keep": "1%", "prune": "neurons", "roundTo": 8 } }';
    expect(parse(withBudget(units, { flops: '50%' })).budget).toEqual({ flops: '50%', prune: 'neurons', roundTo: 8 });
    expect(parse(withBudget(units, { flops: '50%', prune: 'neurons', roundTo: 4 })).budget.roundTo).toBe(4);
    expect(text).toContain('// keep this');
    expect(text).toContain('// and this');
  });

  test('tasks give way to the one budget', () => {
    const text = withBudget('{ "model": "m", "tasks": [{ "layers": "*", "budget": { "keep": "1%" } }] }', {
      weights: 7,
    });
    expect(parse(text)).toEqual({ model: 'm', budget: { weights: 7 } });
  });

  test('floors are set and taken out; caps, comments and format stay, and nothing empty is left', () => {
    const capped = PLAN.replace('"floor": "1%"', '"floor": "1%", "cap": "50%"');
    const text = withFloors(capped, new Map([['fc1', 0.025], ['fc 2', 0.1234567]])); // prettier-ignore
    expect(parse(text).budget.layers).toEqual({ fc1: { floor: '2.5%', cap: '50%' }, 'fc 2': { floor: '12.3457%' } });
    expect(text).toContain('// keep this');
    expect(text).toContain('// and this');
    expect(parse(withFloors(text, new Map([['fc1', null], ['fc 2', null], ['other', null]]))).budget.layers).toEqual({ fc1: { cap: '50%' } }); // prettier-ignore
    expect(parse(withFloors(PLAN, new Map([['fc1', null]]))).budget).toEqual({ keep: '5%', norm: 'l1' });
    expect(withFloors(PLAN, new Map([['fc1', 0.01]]))).toBe(PLAN);
    const crlf = PLAN.replaceAll('\n', '\r\n');
    expect(withFloors(crlf, new Map([['fc2', 0.5]]))).not.toMatch(/[^\r]\n/);
    const task = withFloors('{ "model": "m", "tasks": [{ "layers": "*", "budget": { "keep": "1%" } }] }', new Map([['a', 0.5]])); // prettier-ignore
    expect(parse(task).tasks[0].budget).toEqual({ keep: '1%', layers: { a: { floor: '50%' } } });
  });

  test('a goal takes the place of the budget, what holds for every budget stays, and a budget takes its place again', () => {
    const goal = withBound(PLAN, { maxErrorIncrease: '0.5%' });
    expect(parse(goal)).toEqual({
      model: 'm.json',
      budget: { layers: { fc1: { floor: '1%' } } },
      seed: 3,
      path: { maxErrorIncrease: '0.5%' },
    });
    expect(goal).toContain('// keep this');
    const other = withBound(goal, { maxError: '3%' });
    expect(parse(other).path).toEqual({ maxError: '3%' });
    const back = withBudget(other, { keep: '2%' });
    expect(parse(back)).toEqual({ model: 'm.json', budget: { keep: '2%', layers: { fc1: { floor: '1%' } } }, seed: 3 });
    // Of a path beside a budget only the bound is another thing.
    const both = '{ "model": "m", "budget": { "keep": "1%" }, "path": { "points": 3, "maxErrorIncrease": "1%" } }';
    expect(parse(withBudget(both, { keep: '2%' })).path).toEqual({ points: 3, maxErrorIncrease: '1%' });
    const tasks = '{ "model": "m", "data": "mnist", "tasks": [{ "layers": "*", "budget": { "keep": "1%" } }] }';
    expect(parse(withBound(tasks, { maxError: '3%' }))).toEqual({
      model: 'm',
      data: 'mnist',
      path: { maxError: '3%' },
    });
    expect(parsePlan(withBound(tasks, { maxError: '3%' })).problems).toEqual([]);
  });

  test('limits of a layer are set and taken away', () => {
    const set = withLayerLimits(PLAN, 'fc2', { floor: null, cap: '50%' });
    expect(parse(set).budget.layers).toEqual({ fc1: { floor: '1%' }, fc2: { cap: '50%' } });
    expect(parse(withLayerLimits(set, 'fc2', { floor: null, cap: null })).budget.layers).toEqual({
      fc1: { floor: '1%' },
    });
  });

  test('a layer is excluded once', () => {
    const once = withExcluded(PLAN, 'fc3');
    expect(parse(once).exclude).toEqual(['fc3']);
    expect(withExcluded(once, 'fc3')).toBe(once);
    expect(parse(withExcluded(once, 'fc1')).exclude).toEqual(['fc3', 'fc1']);
  });

  test('the file keeps its line ends', () => {
    const text = withBudget(PLAN.replaceAll('\n', '\r\n'), { weights: 1 });
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  });
});

test('another learning rate goes into its section, comments stay; none takes it out, and changes nothing where there is none', () => {
  const plan = '{\n  // mine\n  "model": "m.json",\n  "training": { "learningRate": 0.5, "momentum": 0.9 }\n}\n';
  const other = withLearningRate(plan, { section: 'training', value: 0.05 });
  expect(other).toContain('// mine');
  expect(parse(other)).toEqual({ model: 'm.json', training: { learningRate: 0.05, momentum: 0.9 } });
  expect(parse(withLearningRate(plan, { section: 'reference', value: 0.1 }))).toMatchObject({
    reference: { learningRate: 0.1 },
    training: { learningRate: 0.5 },
  });
  expect(parse(withLearningRate(plan, { section: 'training', value: null })).training).toEqual({ momentum: 0.9 });
  expect(withLearningRate(plan, { section: 'retrain', value: null })).toBe(plan);
});
