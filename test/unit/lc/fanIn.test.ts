import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetKappa, createCompression, type BudgetSpec, type LayerView } from '../../../daemon/lc/budgets.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { bestSupport, has, nonZeros, project, squaredDistance, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

/** Four inputs of two neurons; a transposed kernel [1, 2, units 2, channels 1] with two inputs of each of two filters. */
const layers: LayerView[] = [
  { name: 'fc', size: 8, shape: [4, 2], flopsPerWeight: 2 },
  { name: 'up', size: 4, shape: [1, 2, 2, 1], flopsPerWeight: 8, unitLayout: { units: 2, inner: 1 } },
];
const size = 12;
/** The unit of each weight of the view, by hand. */
const unitOf = [0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3];
const kept = (mask: number, of: (i: number) => boolean): number =>
  unitOf.filter((_, i) => has(mask, i) && of(i)).length;
const fansIn = (mask: number, most: number): boolean =>
  [0, 1, 2, 3].every((unit) => kept(mask, (i) => unitOf[i] === unit) <= most);
const layerOf = (i: number): string => (i < 8 ? 'fc' : 'up');

/** The distance of the budget's C step is that of the best of all 2^12 supports that are allowed. */
function expectExact(budget: BudgetSpec, allowed: (mask: number) => boolean): void {
  const compression = createCompression(budget, layers);
  fc.assert(
    fc.property(weights(size), (v) => {
      const theta = project(compression, v);
      const support = theta.reduce((mask, x, i) => (x === 0 ? mask : mask | (1 << i)), 0);
      expect(allowed(support)).toBe(true);
      expect(squaredDistance(v, theta)).toBeCloseTo(bestSupport(v, allowed), 9);
      const inPlace = v.slice();
      compression.project(inPlace, 1, inPlace);
      expect([...inPlace]).toEqual([...theta]);
      expect([...project(compression, theta)]).toEqual([...theta]);
    }),
    { numRuns: 25 },
  );
}

describe('fan-in', () => {
  it.each([1, 2, 3, 9])('of %i inputs a unit is the nearest theta of all supports', (fanIn) => {
    expectExact({ fanIn }, (mask) => fansIn(mask, fanIn));
  });

  it('with a number of weights is still the nearest', () => {
    expectExact({ fanIn: 2, weights: 5 }, (mask) => fansIn(mask, 2) && kept(mask, () => true) <= 5);
  });

  it('with a pattern is still the nearest', () => {
    // Blocks of two consecutive inputs of a unit.
    const blocks = [[0, 2], [4, 6], [1, 3], [5, 7], [8, 10], [9, 11]]; // prettier-ignore
    const fits = (mask: number) => blocks.every((block) => kept(mask, (i) => block.includes(i)) <= 1);
    expectExact({ fanIn: 1, pattern: '1:2' }, (mask) => fansIn(mask, 1) && fits(mask));
  });

  it('with caps of layers is still the nearest', () => {
    const cap = (mask: number) => kept(mask, (i) => layerOf(i) === 'fc') <= 2;
    expectExact(
      { fanIn: 2, weights: 4, layers: { fc: { cap: '25%' } } },
      (mask) => fansIn(mask, 2) && cap(mask) && kept(mask, () => true) <= 4,
    );
  });

  it('is of each filter over its window and channels, and of transposed kernels over the channels they read', () => {
    const random = createRandom(3);
    const views: LayerView[] = [
      { name: 'conv', size: 3 * 3 * 2 * 5, shape: [3, 3, 2, 5], flopsPerWeight: 10 },
      {
        name: 'up',
        size: 2 * 2 * 4 * 3,
        shape: [2, 2, 4, 3],
        flopsPerWeight: 10,
        unitLayout: { units: 4, inner: 3 },
      },
    ];
    const v = Float32Array.from({ length: 90 + 48 }, () => random.normal());
    const theta = project(createCompression({ fanIn: 5 }, views), v);
    for (let filter = 0; filter < 5; filter++)
      expect(nonZeros(theta.subarray(0, 90).filter((_, i) => i % 5 === filter))).toBe(5);
    for (let filter = 0; filter < 4; filter++)
      expect(nonZeros(theta.subarray(90).filter((_, i) => Math.floor(i / 3) % 4 === filter))).toBe(5);
  });

  it('keeps of a large kernel what a sort keeps, ties to the lowest input', () => {
    const random = createRandom(8);
    const [inputs, units] = [700, 30];
    const view: LayerView = { name: 'fc', size: inputs * units, shape: [inputs, units], flopsPerWeight: 2 };
    // Sixteenths, so that many magnitudes are equal; of very different scales.
    const v = Float32Array.from({ length: view.size }, (_, i) => (Math.round(16 * random.normal()) / 16) * 10 ** ((i % units) - 15)); // prettier-ignore
    for (const fanIn of [1, 64, 699]) {
      const theta = project(createCompression({ fanIn }, [view]), v);
      for (let unit = 0; unit < units; unit++) {
        const column = Array.from({ length: inputs }, (_, i) => v[i * units + unit]!);
        const order = [...column.keys()].sort((a, b) => Math.abs(column[b]!) - Math.abs(column[a]!) || a - b);
        const wanted = new Set(order.slice(0, fanIn));
        const expected = column.map((x, i) => (wanted.has(i) ? x : 0));
        expect(Array.from({ length: inputs }, (_, i) => theta[i * units + unit]! + 0)).toEqual(expected.map((x) => x + 0)); // prettier-ignore
      }
    }
  });

  it('gives the number of weights that it leaves, and the keys that it combines with', () => {
    const count = (budget: BudgetSpec) => budgetKappa(budget, layers);
    // 2 neurons with 3 of 4 inputs, 2 filters with both of theirs.
    expect(count({ fanIn: 3 })).toBe(2 * 3 + 2 * 2);
    expect(count({ fanIn: 100 })).toBe(12);
    expect(count({ fanIn: 3, pattern: '1:2' })).toBe(2 * 2 + 2 * 1);
    expect(count({ fanIn: 3, keep: '50%' })).toBe(6);
    expect(createCompression({ fanIn: 3, quantize: { codebook: 'int8' } }, layers).description).toContain('int8');
    expect(createCompression({ fanIn: 3 }, layers).description).toBe('at most 3 inputs a unit, at most 10 of 12');
  });

  it.each<[BudgetSpec, string]>([
    [{ fanIn: 0 }, 'fanIn: 0 keeps nothing; the least is 1'],
    [{ fanIn: 1.5 }, 'fanIn: 1.5 is not a whole number'],
    [{ fanIn: 1, weights: 5 }, 'weights: 5 exceeds the 4 weights that fan-in 1 can keep; the most is 4'],
    [{ fanIn: 1, neurons: 1 }, 'fanIn: does not go with "neurons"; give keep, weights or bytes with it, or leave it alone'],
    [{ fanIn: 1, prune: 'neurons' }, 'fanIn: does not go with "prune"; neurons are kept whole'],
    [{ fanIn: 1, quantize: { codebook: 4 } }, 'fanIn: does not go with "quantize"; only the "int8" codebook takes a fanIn'],
  ])('%j: %s', (budget, message) => {
    expect(() => createCompression(budget, layers)).toThrow(message);
  }); // prettier-ignore

  it('refuses a NaN', () => {
    const compression = createCompression({ fanIn: 1 }, layers);
    expect(() => project(compression, new Float32Array(size).fill(NaN))).toThrow(RangeError);
  });
});
