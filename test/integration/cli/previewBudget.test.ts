/** `lc-prune preview` of a budget: what it keeps, before anything is trained. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeAll(async () => {
  ws = await tinyWorkspace();
});
afterAll(() => ws.remove());

/** Eight neurons with four inputs, three with eight. */
const PRUNABLE = 8 * 4 + 3 * 8;
const preview = (...args: string[]) => lcPrune(['preview', ...args], { cwd: ws.folder });

describe('a budget in place of the plan’s', () => {
  it.each([
    ['1/4', /^25% = 14 weights, about \d+ B sparse, [\d.]+% of the FLOPs$/m],
    ['20 weights', /^20 weights = 35.71%, about/m],
    ['{"fanIn": 2}', /^at most 2 inputs a neuron = 22 weights, about/m],
    ['{"fanIn": 2, "weights": 12}', /^12 weights = 21.43%, about/m],
  ])('%s', async (budget, text) => {
    const { code, stdout, stderr } = await preview('tiny.prune.json', '--budget', budget);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(text);
  });

  it('of a model file, as JSON, without any data', async () => {
    const before = await ws.listing();
    const { code, lines } = await preview('model.json', '--budget', '50%', '--json');
    expect(code).toBe(0);
    expect(lines).toEqual([
      {
        event: 'preview',
        budgets: [
          { task: 'all', preview: expect.objectContaining({ kappa: PRUNABLE / 2, prunable: PRUNABLE, problem: null }) },
        ],
      },
    ]);
    expect(await ws.listing()).toEqual(before);
  });

  it.each([
    [['tiny.prune.json', '--budget', '{"fanIn": 0}'], /budget: fanIn: 0 keeps nothing; the least is 1$/m],
    [
      ['tiny.prune.json', '--budget', '2000 weights'],
      /weights: 2000 exceeds the 56 prunable weights; the most is 56$/m,
    ],
    [['tiny.prune.json', '--budget', '{"fanin": 2}'], /--budget: .*fanin/],
    [['tiny.prune.json', '--budget', '{"keep": '], /--budget: no JSON/],
    [['tiny.prune.json', '--budget', 'lose at most 1%'], /--budget: "lose at most 1%" is a goal/],
    [['tiny.prune.json', '--budget', 'blue'], /--budget: "blue" is no budget/],
    [['tiny.prune.json', '--budget', '5%', '--samples', '3'], /--samples is of the data/],
    [['nowhere.json', '--budget', '5%'], /nowhere.json/],
  ])('%j: one line says what is wrong', async (args, text) => {
    const { code, stdout, stderr } = await preview(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(text);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

it('without --budget the plan’s own stands beside its data, a line a task', async () => {
  const { budget: _budget, ...rest } = TINY_PLAN as { budget?: unknown };
  const tasks = [
    { layers: 'fc1', budget: { fanIn: 2 } },
    { layers: '*', budget: { keep: '50%' } },
  ];
  await writeFile(ws.path('tasks.prune.json'), JSON.stringify({ ...rest, tasks }));
  const own = await preview('tiny.prune.json', '--samples', '2');
  expect(own.code).toBe(0);
  expect(own.stdout).toMatch(/^25% = 14 weights, about \d+ B sparse/m);
  const both = await preview('tasks.prune.json', '--samples', '2');
  expect(both.stdout).toMatch(/^fc1: at most 2 inputs a neuron = 16 weights, about/m);
  expect(both.stdout).toMatch(/^\*: 50% = 12 weights, about/m);
}, 120_000);
