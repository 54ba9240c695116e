import { describe, expect, it } from 'vitest';
import { BudgetError, budgetKappa, createCompression, type BudgetSpec } from '../../../daemon/lc/budgets.js';
import { lenet300, lenet5, messageOf } from './lenetViews.js';

describe('budgets that cannot be', () => {
  it.each<[BudgetSpec, string]>([
    [{ weights: 300_000 }, 'weights: 300000 exceeds the 266,200 prunable weights; the most is 266200'],
    [{ weights: 0 }, 'weights: 0 keeps nothing; the least is 1'],
    [{ weights: 1.5 }, 'weights: 1.5 is not a whole number'],
    [{ keep: '0%' }, 'keep: 0% keeps nothing; the least is 1 weight'],
    [{ keep: '120%' }, 'keep: 120% is not a share between 0% and 100%'],
    [{ keep: '60%', pattern: '2:4' }, 'keep: 60% exceeds the 133,100 weights that 2:4 can keep; the most is 50%'],
    [
      { weights: 5000, scope: 'layer' },
      'weights: 5000 exceeds the 1,000 prunable weights; the most is 1000 (layer "fc3")',
    ],
    [{ bytes: 12 }, "bytes: 12 does not hold one weight beside the format's 1652 bytes; the least is 1658"],
    [{ bytes: '8 kilos' }, 'bytes: 8 kilos is not a size such as 8192 or "8 kB"'],
    [{ flops: '0%' }, 'flops: 0% does not pay for one weight; the least is 0.000376%'],
    [{ neurons: 3 }, 'neurons: which weights belong to a neuron of layer "fc1" is not known'],
    [{ pattern: '0:4' }, 'pattern: 0:4 keeps nothing; the least is 1:4'],
    [{ pattern: '5:4' }, 'pattern: 5:4 keeps more than it has; the most is 4:4'],
    [{ pattern: '2/4' }, 'pattern: "2/4" is not N:M, such as "2:4"'],
    [
      {},
      'budget: asks for nothing; give one of keep, weights, bytes, flops, neurons, alpha, radius, pattern, fanIn or quantize',
    ],
    [{ keep: '1%', weights: 3 }, 'weights: contradicts "keep"; give one of them'],
    [{ alpha: 1, radius: 2, norm: 'l1' }, 'radius: contradicts "alpha"; give one of them'],
    [{ form: 'penalty', keep: '1%' }, 'form: a penalty needs "alpha", the weight of the cost'],
    [{ form: 'constraint', alpha: 1 }, 'form: "alpha" makes it a penalty'],
    [{ alpha: -1 }, 'alpha: -1 is not a positive number'],
    [{ norm: 'l1', keep: '1%' }, 'norm: l1 needs "alpha" or "radius"; keep counts weights, that is l0'],
    [{ radius: 3 }, 'radius: bounds a norm; add "norm": "l1" or "l2", or give "weights" for l0'],
    [
      { flops: '5%', pattern: '2:4' },
      'pattern: does not go with "flops"; give keep, weights or bytes with it, or leave it alone',
    ],
    [{ keep: '5%', cost: 'flops' }, 'cost: does not go with "keep"; it is for the l0 penalty'],
    [
      { pattern: '2:4', quantize: { codebook: 3 } },
      'pattern: does not go with "quantize"; only the "int8" codebook takes a pattern',
    ],
    [{ keep: '5%', quantize: { codebook: 300 } }, 'quantize: a codebook has 1 to 256 codes, not 300'],
    [
      { keep: '5%', layers: { fc9: { floor: 0.1 } } },
      'layers.fc9: there is no such prunable layer; there are fc1, fc2, fc3',
    ],
    [{ keep: '5%', layers: { fc1: { floor: '9%', cap: '5%' } } }, 'layers.fc1.floor: 9% is above the cap of 5%'],
    [
      { keep: '1%', layers: { fc1: { floor: '5%' } } },
      "layers: the floors keep 11,760 weights, more than the budget's 2,662; raise it to 11760",
    ],
    [
      { keep: '50%', layers: { fc1: { cap: '1%' }, fc2: { cap: 0 }, fc3: { cap: 0 } } },
      "layers: the caps leave 2,352 weights, less than the budget's 133,100; lower it to 2352",
    ],
    [
      { keep: '5%', scope: 'layer', layers: { fc1: { cap: 1 } } },
      'layers: floors and caps are for a global budget; leave "scope" out',
    ],
    [
      { alpha: 1, layers: { fc1: { cap: 1 } } },
      'layers: floors and caps need a budget that is shared out, not "alpha"',
    ],
    [{ neurons: 4, prune: 'weights' }, 'neurons: does not go with "prune"; leave "prune" out'],
    [
      { neurons: 4, quantize: { codebook: 2 } },
      'quantize: does not go with "neurons"; give keep, weights or bytes with it, or leave it alone',
    ],
  ])('%j: %s', (budget, message) => {
    expect(messageOf(() => createCompression(budget, lenet300))).toBe(message);
    // budgetKappa needs fewer of the numbers; what it refuses, it refuses in the same words.
    expect([message, null]).toContain(messageOf(() => budgetKappa(budget, lenet300)));
    expect(() => createCompression(budget, lenet300)).toThrow(BudgetError);
  });

  it.each<[BudgetSpec, string]>([
    [{ neurons: 900 }, 'neurons: 900 exceeds the 570 neurons that can be removed; the most is 570'],
    [{ neurons: '0%' }, 'neurons: 0% keeps nothing; the least is 1 neuron'],
    [{ neurons: 0 }, 'neurons: 0 keeps nothing; the least is 1 neuron'],
    [{ neurons: 2.5 }, 'neurons: 2.5 is not a whole number; shares are below 1, or percentages'],
    [
      { neurons: 30, scope: 'layer' },
      'neurons: 30 exceeds the 20 neurons that can be removed; the most is 20 (layer "conv1")',
    ],
    [{ neurons: 10, layers: { conv1: { floor: 1 } } }, 'neurons: 10 is below the 20 of the floors; the least is 20'],
    [{ neurons: 10, layers: { fc2: { floor: 1 } } }, 'layers.fc2: its neurons are never removed; it takes no limits'],
    [{ keep: '1%', prune: 'neurons' }, 'keep: comes to 4,305 weights; one neuron and the layers that stay need 5,025'],
    [
      { keep: '9%', prune: 'neurons', scope: 'layer' },
      'scope: whole neurons under "keep" need a global budget; or give "neurons"',
    ],
    [
      { keep: '9%', prune: 'neurons', layers: { fc1: { floor: 0 } } },
      'layers: does not go with "prune"; limits on neurons need a "neurons" budget',
    ],
  ])('LeNet5, %j: %s', (budget, message) => {
    expect(() => createCompression(budget, lenet5)).toThrow(BudgetError);
    expect(messageOf(() => createCompression(budget, lenet5))).toBe(message);
  });

  it('carries the nearest valid value, which is accepted', () => {
    for (const [key, budget] of [
      ['weights', { weights: 1e6 }],
      ['weights', { weights: 0 }],
      ['keep', { keep: 0 }],
      ['keep', { keep: '60%', pattern: '1:3' }],
      ['bytes', { bytes: 1 }],
      ['flops', { flops: 0 }],
      ['pattern', { pattern: '7:3' }],
    ] as [keyof BudgetSpec, BudgetSpec][]) {
      try {
        createCompression(budget, lenet300);
        expect.unreachable();
      } catch (error) {
        const { nearest } = error as BudgetError;
        expect(nearest).toBeDefined();
        expect(() => createCompression({ ...budget, [key]: nearest }, lenet300)).not.toThrow();
      }
    }
  });

  it('no layers', () => {
    expect(() => createCompression({ keep: '1%' }, [])).toThrow(BudgetError);
  });
});
