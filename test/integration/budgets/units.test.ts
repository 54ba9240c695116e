/** FLOPs, whole neurons and filters, from the plan to the written file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, DENSE_FLOPS, flopsOf, fullest, kernel, keptIn, nonZeros, planOf, unitsOf, Stripes } from './stripes.js';

let stripes: Stripes;
beforeAll(async () => {
  stripes = await Stripes.open();
});
afterAll(() => stripes.close());

describe('a budget holds on the written file', { timeout: 120_000 }, () => {
  it('FLOPs', async () => {
    const run = await stripes.finished(all({ flops: '30%' }));
    expect(flopsOf(run)).toBeLessThanOrEqual(0.3 * DENSE_FLOPS);
    expect(flopsOf(run)).toBeGreaterThan(0.29 * DENSE_FLOPS);
    expect(run.done.budget).toMatchObject([{ kind: 'flops', asked: '30%', got: flopsOf(run), met: true }]);
  });

  it('neurons and filters, with all that goes with them; filters joined by the addition together', async () => {
    const run = await stripes.finished(all({ neurons: '50%' }));
    const [first, second, hidden] = (['conv1', 'conv2', 'fc1'] as const).map((layer) => unitsOf(run, layer));
    // 6 channels of the residual stream and 16 hidden units; the 4 answers stay.
    expect(first).toEqual(second);
    expect(first!.length + hidden!.length).toBe(11);
    expect(unitsOf(run, 'out')).toHaveLength(4);
    // What reads the others is gone with them.
    expect(nonZeros(kernel(run, 'out'))).toBe(4 * hidden!.length);
    for (const name of ['bn1/gamma', 'bn1/beta', 'conv2/bias', 'bn2/gamma', 'bn2/beta']) {
      const values = run.weights.get(name)!;
      expect(
        values.flatMap((x, i) => (x === 0 ? [] : [i])).every((i) => first!.includes(i)),
        name,
      ).toBe(true);
    }
    expect(run.weights.get('fc1/bias')!.flatMap((x, i) => (x !== 0 && !hidden!.includes(i) ? [i] : []))).toEqual([]);
    expect(run.done.budget).toEqual([{ task: 'all', kind: 'neurons', asked: '50%', limit: 11, got: 11, met: true }]);
    expect(run.report).toContain(`| units of conv1 | 6 | ${first!.length} |`);
    const magnitude = await stripes.magnitudeOf(run);
    expect(unitsOf(magnitude, 'conv1').length + unitsOf(magnitude, 'fc1').length).toBe(11);
    expect(unitsOf(magnitude, 'conv1')).toEqual(unitsOf(magnitude, 'conv2'));
  });

  it('whole neurons under a budget of FLOPs', async () => {
    const run = await stripes.finished(all({ flops: '50%', prune: 'neurons' }));
    expect(unitsOf(run, 'conv1')).toEqual(unitsOf(run, 'conv2'));
    expect(flopsOf(run)).toBeLessThanOrEqual(0.5 * DENSE_FLOPS);
    expect(flopsOf(run)).toBeGreaterThan(0.35 * DENSE_FLOPS);
    expect(unitsOf(run, 'conv1').length).toBeGreaterThan(0);
    expect(run.done.budget).toMatchObject([{ kind: 'flops', got: flopsOf(run), met: true }]);
  });

  it('several at once, on different layers', async () => {
    const run = await stripes.finished(
      planOf(
        ['convolutions', ['conv1', 'conv2'], { neurons: 4 }],
        ['hidden', ['fc1'], { bytes: 1000 }],
        ['answers', ['out'], { pattern: '1:2', quantize: { codebook: 'int8' } }],
      ),
    );
    expect(unitsOf(run, 'conv1')).toHaveLength(4);
    expect(unitsOf(run, 'conv2')).toEqual(unitsOf(run, 'conv1'));
    // At least 32 bits a weight, at most 32 and a position of 11.
    expect(keptIn(run, ['fc1'])).toBeLessThanOrEqual(250);
    expect(keptIn(run, ['fc1'])).toBeGreaterThan((8 * 990) / 43);
    expect(fullest(run, 'out', 2)).toBe(1);
    expect(run.done.budget).toMatchObject([
      { task: 'convolutions', kind: 'neurons', limit: 4, got: 4, met: true },
      { task: 'hidden', kind: 'bytes', limit: 1000, met: true },
      { task: 'answers', kind: 'pattern', limit: 1, met: true },
      { task: 'answers', kind: 'codes', asked: 'int8', met: true },
    ]);
  });
});
