import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesConstraint } from '../../../daemon/lc/bytes.js';
import { l0Constraint } from '../../../daemon/lc/projections/l0.js';
import { keepLargest } from '../../../daemon/lc/projections/select.js';
import { nonZeros, project } from './oracles.js';

/** 32 bits a weight and the gaps between them in a Rice code of the best parameter. */
function encodedBytes(theta: Float32Array): number {
  let fewest = Infinity;
  for (let k = 0; k < 10; k++) {
    let bits = 0;
    let next = 0;
    theta.forEach((x, i) => {
      if (x === 0) return;
      bits += 32 + 1 + k + ((i - next) >>> k);
      next = i + 1;
    });
    fewest = Math.min(fewest, bits);
  }
  return 20 + Math.ceil(fewest / 8);
}

/** Distinct magnitudes in an order of their own, some of them crowded together. */
const vector = fc
  .array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 300 })
  .map((values) => Float32Array.from(new Set(values), (x, i) => (i % 2 === 0 ? x : -x)));

describe('bytes of a file with codes of variable length', () => {
  it('keeps the kappa largest, for the largest kappa that fits, as a scan of all kappas finds it', () => {
    fc.assert(
      fc.property(vector, fc.integer({ min: 26, max: 1500 }), (v, bytes) => {
        const constraint = bytesConstraint(v.length, {
          bytes,
          least: 0,
          most: v.length,
          tolerance: 0,
          compression: (kappa) => l0Constraint(kappa, v.length),
          encodedBytes,
        });
        const expected = new Float32Array(v.length);
        for (let kappa = v.length; kappa >= 0; kappa--) {
          keepLargest(v, kappa, expected);
          if (encodedBytes(expected) <= bytes) break;
        }
        const theta = project(constraint, v);
        expect(theta).toEqual(expected);
        expect(constraint.cost(theta)).toBeLessThanOrEqual(bytes);
        expect(project(constraint, theta)).toEqual(theta);
        const place = v.slice();
        constraint.project(place, NaN, place);
        expect(place).toEqual(theta);
      }),
      { seed: 20180618, numRuns: 300 },
    );
  });

  it('has a note if the smallest budget that fits leaves a layer no room', () => {
    const make = (notes?: readonly string[]) =>
      bytesConstraint(10, {
        ...{ bytes: 100, least: 3, most: 10, tolerance: 0, encodedBytes },
        compression: (kappa) => ({ ...l0Constraint(kappa, 10), ...(kappa === 3 && notes && { notes }) }),
      });
    expect(make().notes).toBeUndefined();
    expect(make(['there is no room for "b"']).notes).toEqual([
      'unless the file packs its positions closely, there is no room for "b"',
    ]);
  });

  it('goes below what surely fits when that does not, and stops early where that is enough', () => {
    const v = Float32Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1000) + 1);
    const make = (bytes: number, least: number, tolerance: number) =>
      project(
        bytesConstraint(1000, {
          bytes,
          least,
          most: 1000,
          tolerance,
          compression: (kappa) => l0Constraint(kappa, 1000),
          encodedBytes,
        }),
        v,
      );
    const exact = make(2000, 0, 0);
    expect(make(2000, 400, 0)).toEqual(exact);
    expect(make(2000, 900, 0)).toEqual(exact);
    const near = nonZeros(make(2000, 0, 0.05));
    expect(near).toBeGreaterThanOrEqual(0.9 * nonZeros(exact));
    expect(near).toBeLessThanOrEqual(nonZeros(exact));
  });
});
