import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { Budget } from '../../../daemon/protocol/plan.js';
import { withBudget, withExcluded, withLearningRate, withLayerLimits } from '../../../extension/budget/editPlan.js';
import { budgetText, parseBudget, SUGGESTED } from '../../../extension/budget/parseBudget.js';

const first = (text: string) => {
  const parsed = parseBudget(text);
  return 'problem' in parsed ? parsed.problem : parsed.readings[0]!.budget;
};

describe('a plan’s budget as typed', () => {
  test.each([
    [{ keep: '1%' }, '1%'],
    [{ weights: 2662 }, '2662 weights'],
    [{ weights: 50 }, '50 weights'],
    [{ bytes: '40 kB' }, '40 kB'],
    [{ flops: '50%' }, '50% flops'],
    [{ neurons: 100 }, '100 neurons'],
    [{ pattern: '2:4' }, '2:4'],
  ])('%j', (budget, text) => {
    expect(budgetText(budget)).toBe(text);
    expect(first(text)).toEqual(budget);
  });

  test.each([
    [{ keep: '1%', scope: 'layer' }],
    [{ alpha: 1e-4 }],
    [{ neurons: 0.5 }],
    [{ keep: {} }],
    [{}],
    [undefined],
    ['1%'],
  ])('%j says more, or nothing', (budget) => expect(budgetText(budget)).toBe(''));
});

describe('reading a budget as typed', () => {
  test.each([
    ['1%', { keep: '1%' }],
    [' 0.5 % ', { keep: '0.5%' }],
    ['0,5%', { keep: '0.5%' }],
    ['0.01', { keep: '1%' }],
    ['.07', { keep: '7%' }],
    ['2662', { weights: 2662 }],
    ['2,662 weights', { weights: 2662 }],
    ['1 000 000', { weights: 1000000 }],
    ['40 kB', { bytes: '40 kB' }],
    ['1.5mb', { bytes: '1.5 MB' }],
    ['8192 bytes', { bytes: '8192 B' }],
    ['50% flops', { flops: '50%' }],
    ['50% of the FLOPs', { flops: '50%' }],
    ['100 neurons', { neurons: 100 }],
    ['1 neuron', { neurons: 1 }],
    ['100% neurons', { neurons: '100%' }],
    ['25% filters', { neurons: '25%' }],
    ['2:4', { pattern: '2:4' }],
  ])('%s', (text, budget) => {
    expect(first(text)).toEqual(budget);
  });

  test.each([
    ['', 'empty'],
    ['5 bananas', 'unreadable'],
    ['-3', 'unreadable'],
    ['0', 'unreadable'],
    ['NaN', 'unreadable'],
    ['1e999', 'unreadable'],
    ['101%', 'range'],
    ['4:2', 'range'],
    ['0:4', 'range'],
    ['99999999999999999999', 'range'],
    ['0.0', 'range'],
  ])('%s is no budget', (text, problem) => {
    expect(first(text)).toBe(problem);
  });

  test('a bare share can mean weights, FLOPs or neurons, weights first', () => {
    const parsed = parseBudget('5%');
    expect('readings' in parsed && parsed.readings.map((reading) => reading.kind)).toEqual([
      'keep',
      'flops',
      'neurons',
    ]);
  });

  test('every reading is a budget a plan accepts, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^\d{1,9}([.,]\d{1,3})? ?(%|kB|MB|b|weights|neurons|flops)?$/)),
        (text) => {
          const parsed = parseBudget(text);
          if ('readings' in parsed)
            for (const { budget } of parsed.readings)
              expect(Budget.safeParse(budget).success, JSON.stringify(budget)).toBe(true);
        },
      ),
      { seed: 1, numRuns: 3000 },
    );
  });

  test('the suggestions are budgets', () => {
    for (const text of SUGGESTED) expect(first(text)).toEqual({ keep: text });
  });
});

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
    expect(text).toContain('// keep this');
    expect(text).toContain('// and this');
  });

  test('tasks give way to the one budget', () => {
    const text = withBudget('{ "model": "m", "tasks": [{ "layers": "*", "budget": { "keep": "1%" } }] }', {
      weights: 7,
    });
    expect(parse(text)).toEqual({ model: 'm', budget: { weights: 7 } });
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
