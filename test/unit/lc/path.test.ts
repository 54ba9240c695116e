import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountOf,
  between,
  defaultPath,
  descending,
  leastError,
  nextPoint,
  smallestWithin,
  withAmount,
  type PathResult,
} from '../../../daemon/lc/path.js';

interface Weights {
  readonly weights: number;
}

/** Walks a path over an error that is known for every budget. */
function walk(planned: Weights[], error: (weights: number) => number, bound: number | null, refinements = 0) {
  const finished: PathResult<Weights>[] = [];
  const from: (number | null)[] = [];
  const search = bound === null ? null : { bound, refinements };
  for (let next = nextPoint(planned, finished, search); next; next = nextPoint(planned, finished, search)) {
    if (finished.length > 100) throw new Error('no end');
    finished.push({ budget: next.budget, error: error(next.budget.weights) });
    from.push(next.from);
  }
  return { finished, from, kept: finished.map(({ budget }) => budget.weights) };
}
const planned = [1000, 500, 250, 125, 60, 30, 15, 8].map((weights) => ({ weights }));

describe('the way of a path', () => {
  it('without a search goes through the planned budgets, each from the one before', () => {
    const { kept, from } = walk(planned, () => 1, null);
    expect(kept).toEqual(planned.map(({ weights }) => weights));
    expect(from).toEqual([null, 0, 1, 2, 3, 4, 5, 6]);
  });

  it('bisects between the last good and the first bad budget, from the good one', () => {
    const { kept, from } = walk(planned, (weights) => (weights >= 100 ? 0 : 1), 0.5, 6);
    // Two bad ones in a row end the descent.
    expect(kept.slice(0, 6)).toEqual([1000, 500, 250, 125, 60, 30]);
    expect(kept.slice(6)).toEqual([87, 104, 95, 99, 101, 100]);
    expect(from.slice(6)).toEqual([3, 3, 7, 7, 7, 10]);
  });

  it('against brute force: with enough refinements finds the smallest good budget of a monotone error', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 1000 }), (threshold) => {
        const error = (weights: number) => (weights >= threshold ? 0 : 1);
        const { finished } = walk(planned, error, 0, 40);
        const best = smallestWithin(finished, 0);
        expect(finished[best]!.budget.weights).toBe(threshold);
      }),
      { seed: 20180618 },
    );
  });

  it('against brute force: for any errors, the answer is the smallest good one of its points, and starts are larger', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }), (errors) => {
        let i = 0;
        const { finished, from } = walk(planned, () => errors[i++]!, 0.5, 12);
        const good = finished.filter(({ error }) => error! <= 0.5).map(({ budget }) => budget.weights);
        const best = smallestWithin(finished, 0.5);
        if (good.length === 0) expect(best).toBe(-1);
        else expect(finished[best]!.budget.weights).toBe(Math.min(...good));
        from.forEach((start, k) => {
          if (start !== null) expect(finished[start]!.budget.weights).toBeGreaterThan(finished[k]!.budget.weights);
        });
        const least = Math.min(...finished.map(({ error }) => error!));
        expect(finished[leastError(finished)]!.error).toBe(least);
      }),
      { seed: 20180618 },
    );
  });

  it('an error of exactly the bound is within it, also after the sum is rounded', () => {
    for (let wrong = 0; wrong < 600; wrong++) {
      const error = (count: number) => count / 6000;
      const point = (more: number) => [{ budget: { weights: 9 }, error: error(wrong + 30 + more) }];
      const bound = error(wrong) + 0.005;
      expect([smallestWithin(point(0), bound), smallestWithin(point(1), bound)], `${wrong}`).toEqual([0, -1]);
    }
  });

  it('goes on below the planned budgets while all are good, and above them while none is', () => {
    expect(walk(planned.slice(0, 3), () => 0, 0, 3).kept).toEqual([1000, 500, 250, 125, 63, 32]);
    const { kept, from } = walk(planned.slice(0, 3), (weights) => (weights >= 3000 ? 0 : 1), 0, 4);
    expect(kept).toEqual([1000, 500, 2000, 4000, 2828, 3363]);
    expect(from.slice(2)).toEqual([null, null, 3, 3]);
    expect(walk([{ weights: 3 }], () => 0, 0, 9).kept).toEqual([3, 2, 1]);
  });
});

describe('amounts of budgets', () => {
  it('are what the goal counts, and can be set', () => {
    expect(amountOf({ bytes: '8 kB' })).toBe(8192);
    expect(amountOf({ keep: '2.5%' })).toBe(0.025);
    expect(amountOf({ neurons: 40 })).toBe(40);
    expect(amountOf({ neurons: 0.5 })).toBe(0.5);
    expect([amountOf({ neurons: 1 }), amountOf({ neurons: '100%' })]).toEqual([1, 1]);
    expect(() => descending([{ neurons: 1 }, { neurons: '100%' }])).toThrow(/mixes/);
    expect(withAmount({ keep: 0.1, layers: { fc: { floor: '1%' } } }, 0.012345)).toEqual({
      keep: '1.234%',
      layers: { fc: { floor: '1%' } },
    });
    expect(withAmount({ bytes: '8 kB' }, 4000.4)).toEqual({ bytes: 4000 });
    expect(withAmount({ neurons: 40 }, 12.6)).toEqual({ neurons: 13 });
    expect(withAmount({ neurons: 1 }, 7)).toEqual({ neurons: 7 });
    expect(between({ keep: '4%' }, { keep: '1%' })).toEqual({ keep: '2%' });
    expect(between({ weights: 3 }, { weights: 2 })).toBeNull();
    expect(() => amountOf({ alpha: 1 })).toThrow(/alpha: a path varies/);
  });

  it('default paths lie around what the plan asks for', () => {
    expect(defaultPath({ keep: '1%' }, 3)).toEqual([{ keep: '10%' }, { keep: '2.236%' }, { keep: '0.5%' }]);
    expect(defaultPath({ weights: 2662 }, 2)).toEqual([{ keep: '10%' }, { keep: '0.5%' }]);
    expect(defaultPath({ bytes: '8 kB' }, 3)).toEqual([{ bytes: 32768 }, { bytes: 8192 }, { bytes: 2048 }]);
    expect(defaultPath({ flops: '10%' }, 8)).toHaveLength(8);
  });

  it('are put in order, each once; shares and numbers do not mix', () => {
    expect(descending([{ keep: '1%' }, { keep: 0.1 }, { keep: '10%' }])).toEqual([{ keep: 0.1 }, { keep: '1%' }]);
    expect(() => descending([{ keep: '1%' }, { weights: 12 }])).toThrow(/mixes/);
    expect(() => descending([{ neurons: '10%' }, { neurons: 12 }])).toThrow(/mixes/);
  });
});
