/** Bytes and codebooks, from the plan to the written file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, kernel, keptIn, LAYERS, N, Stripes, type Finished, type Layer } from './stripes.js';

let stripes: Stripes;
beforeAll(async () => {
  stripes = await Stripes.open();
});
afterAll(() => stripes.close());

describe('a budget holds on the written file', { timeout: 120_000 }, () => {
  it('bytes: the file fits, and there is no room left in it', async () => {
    const bytes = 3072;
    const run = await stripes.finished(all({ bytes: '3 kB' }));
    expect(run.packageBytes).toBeLessThanOrEqual(bytes);
    expect(run.packageBytes).toBeGreaterThan(0.99 * bytes);
    expect(run.done.budget).toEqual([
      { task: 'all', kind: 'bytes', asked: '3 kB', limit: bytes, got: run.packageBytes, met: true },
    ]);
    const magnitude = await stripes.magnitudeOf(run);
    expect(magnitude.packageBytes).toBeLessThanOrEqual(bytes);
    expect(magnitude.packageBytes).toBeGreaterThan(0.99 * bytes);
  });

  it('bytes with a codebook', async () => {
    const run = await stripes.finished(all({ bytes: 1200, quantize: { codebook: 4 } }));
    expect(run.packageBytes).toBeLessThanOrEqual(1200);
    expect(run.packageBytes).toBeGreaterThan(0.97 * 1200);
    const codes = new Set(LAYERS.flatMap((layer) => kernel(run, layer)).filter((x) => x !== 0));
    expect(codes.size).toBeLessThanOrEqual(4);
    expect(run.done.budget).toMatchObject([
      { kind: 'bytes', met: true },
      { kind: 'codes', limit: 4, got: codes.size, met: true },
    ]);
  });

  it.each(['int8', 'ternary', 3] as const)('prune and quantize: %s', async (codebook) => {
    const run = await stripes.finished(all({ keep: '30%', quantize: { codebook } }));
    expect(keptIn(run)).toBeLessThanOrEqual(Math.ceil(0.3 * N));
    expect(run.done.budget).toMatchObject([
      { kind: 'weights', met: true },
      { kind: 'codes', met: true },
    ]);
    const codesIn = ({ weights }: Finished, layers: readonly Layer[]) =>
      new Set(layers.flatMap((layer) => weights.get(`${layer}/kernel`)!).filter((x) => x !== 0));
    const magnitude = await stripes.magnitudeOf(run);
    for (const one of [run, magnitude]) {
      if (codebook === 'int8') {
        for (const layer of LAYERS) {
          const codes = [...codesIn(one, [layer])].map(Math.abs);
          const step = Math.min(...codes) / Math.max(1, Math.round(Math.min(...codes) / (Math.max(...codes) / 127)));
          for (const code of codes) expect(Math.abs(code / step - Math.round(code / step))).toBeLessThan(1e-3);
        }
      } else {
        expect(codesIn(one, LAYERS).size).toBeLessThanOrEqual(codebook === 'ternary' ? 2 : codebook);
      }
      expect(one.done.budget!.every(({ met }) => met)).toBe(true);
    }
  });
});
