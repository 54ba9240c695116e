/** A number of weights, a share of them, N:M, fan-in and penalties, from the plan to the written file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, fullest, kernel, keptIn, LAYERS, N, sizeOf, Stripes, type Finished, type Layer } from './stripes.js';

let stripes: Stripes;
beforeAll(async () => {
  stripes = await Stripes.open();
});
afterAll(() => stripes.close());

describe('a budget holds on the written file', { timeout: 120_000 }, () => {
  it('kappa', async () => {
    const run = await stripes.finished(all({ weights: 400, layers: { out: { floor: '50%' }, fc1: { cap: '10%' } } }));
    expect(keptIn(run)).toBe(400);
    expect(keptIn(run, ['out'])).toBeGreaterThanOrEqual(32);
    expect(keptIn(run, ['fc1'])).toBeLessThanOrEqual(154);
    expect(run.done.budget).toEqual([
      { task: 'all', kind: 'weights', asked: '400', limit: 400, got: 400, met: true },
      expect.objectContaining({ kind: 'floor', limit: 32, met: true }),
      expect.objectContaining({ kind: 'cap', limit: 154, met: true }),
    ]);
    expect(run.report).toContain('| lc | all | weights | 400 | 400 | 400 | yes |');
    expect(run.report).toContain('## Sizes');
    expect(run.report).toMatch(/\| units of fc1 \| 16 \| \d+ \|/);
    // Stripes are distinguished by a network that learned; one that did not is wrong three times out of four.
    expect(run.done.retrained.error).toBeLessThan(0.2);
  });

  it('a share of each layer', async () => {
    const run = await stripes.finished(all({ keep: '20%', scope: 'layer' }));
    for (const layer of LAYERS) expect(keptIn(run, [layer])).toBe(Math.ceil(0.2 * sizeOf(layer)));
    expect(run.done.budget).toMatchObject([{ kind: 'weights', asked: '20%', met: true }]);
  });

  it('N:M, alone and under a global kappa', async () => {
    const run = await stripes.finished(all({ pattern: '2:4', keep: '25%' }));
    for (const layer of LAYERS) expect(fullest(run, layer, 4)).toBeLessThanOrEqual(2);
    expect(keptIn(run)).toBe(Math.ceil(0.25 * N));
    expect(run.done.budget).toMatchObject([
      { kind: 'weights', met: true },
      { kind: 'pattern', asked: '2:4', limit: 2, got: 2, met: true },
    ]);
    const magnitude = await stripes.finished({ ...all({ pattern: '2:4' }), method: 'magnitude' });
    for (const layer of LAYERS) expect(fullest(magnitude, layer, 4)).toBe(2);
    expect(magnitude.done.budget).toMatchObject([{ kind: 'pattern', met: true }]);
  });

  it('fan-in, alone and under a global kappa', async () => {
    // Of all inputs of a unit, one block.
    const fanIn = (run: Finished, layer: Layer) => fullest(run, layer, sizeOf(layer));
    const run = await stripes.finished(all({ fanIn: 8, keep: '10%' }));
    for (const layer of LAYERS) expect(fanIn(run, layer)).toBeLessThanOrEqual(8);
    expect(keptIn(run)).toBe(Math.ceil(0.1 * N));
    expect(run.done.budget).toMatchObject([
      { kind: 'weights', met: true },
      { kind: 'inputs', asked: 'fan-in 8', limit: 8, met: true },
    ]);
    expect(run.report).toContain('| lc | all | inputs | fan-in 8 | 8 | 8 | yes |');
    expect(run.done.retrained.error).toBeLessThan(0.2);
    const magnitude = await stripes.finished({ ...all({ fanIn: 8 }), method: 'magnitude' });
    for (const layer of LAYERS) expect(fanIn(magnitude, layer)).toBe(8);
    expect(magnitude.done.budget).toMatchObject([{ kind: 'inputs', met: true }]);
  });

  it('penalty: what it kept is the budget of its baseline', async () => {
    const run = await stripes.finished(all({ alpha: 1e-4 }));
    expect(keptIn(run)).toBeLessThan(N);
    expect(run.done.budget).toEqual([
      { task: 'all', kind: 'penalty', asked: 'alpha 0.0001, l0', limit: null, got: keptIn(run), met: null },
    ]);
    const magnitude = await stripes.magnitudeOf(run);
    expect(keptIn(magnitude)).toBe(keptIn(run));
  });

  it('the radius of an l2 ball', async () => {
    const run = await stripes.finished(all({ norm: 'l2', radius: 20 }));
    const squares = LAYERS.flatMap((layer) => kernel(run, layer)).reduce((total, x) => total + x * x, 0);
    expect(squares).toBeLessThanOrEqual(20 * (1 + 1e-5));
    expect(run.done.budget).toMatchObject([{ kind: 'norm', limit: 20, met: true }]);
    expect(run.done.budget![0]!.got).toBeCloseTo(squares, 6);
  });
});
