import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inSequence, patternCapacity, patternConstraint } from '../../../daemon/lc/projections/blocks.js';
import { l0Constraint } from '../../../daemon/lc/projections/l0.js';
import { bestSupport, has, nonZeros, project, squaredDistance, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

/** Whether a mask over [inputs, units] has at most n of every m consecutive inputs of each unit. */
function fits(mask: number, size: number, units: number, n: number, m: number): boolean {
  for (let unit = 0; unit < units; unit++) {
    for (let block = 0; block < size / units; block += m) {
      let count = 0;
      for (let input = block; input < Math.min(block + m, size / units); input++) {
        if (has(mask, input * units + unit)) count++;
      }
      if (count > n) return false;
    }
  }
  return true;
}

const bits = (mask: number): number => [...mask.toString(2)].filter((bit) => bit === '1').length;

describe('N:M', () => {
  const patterns = fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(2, 3, 4, 5)).filter(([n, m]) => n <= m);
  const shapes = fc.constantFrom([10, 2], [5, 1], [9, 3], [8, 2], [4, 4]);

  it('alone: no support with the pattern is nearer, whole blocks or not', () => {
    fc.assert(
      fc.property(patterns, shapes, weights(10), ([n, m], [size, units], values) => {
        const v = values.slice(0, size);
        const layer = { name: 'a', size: size!, units: units! };
        const theta = project(patternConstraint(n, m, [layer]), v);
        expect(squaredDistance(v, theta)).toBeCloseTo(
          bestSupport(v, (mask) => fits(mask, size!, units!, n, m)),
          12,
        );
        let full = 0;
        for (let mask = 0; mask < 2 ** size!; mask++)
          if (fits(mask, size!, units!, n, m)) full = Math.max(full, bits(mask));
        expect(patternCapacity(n, m, layer)).toBe(full);
      }),
      { numRuns: 60 },
    );
  });

  it('under a global kappa over two layers: no support with both is nearer', () => {
    fc.assert(
      fc.property(patterns, weights(10), fc.nat(10), ([n, m], v, kappa) => {
        const layers = [
          { name: 'a', size: 6, units: 2 },
          { name: 'b', size: 4, units: 1 },
        ];
        const theta = project(inSequence(patternConstraint(n, m, layers), l0Constraint(kappa, 10)), v);
        expect(nonZeros(theta)).toBeLessThanOrEqual(kappa);
        const best = bestSupport(
          v,
          (mask) => bits(mask) <= kappa && fits(mask & 63, 6, 2, n, m) && fits(mask >> 6, 4, 1, n, m),
        );
        expect(squaredDistance(v, theta)).toBeCloseTo(best, 12);
      }),
      { numRuns: 60 },
    );
  });

  it('2:4 runs down the inputs of each unit of a Dense kernel [4, 2], ties to the first input', () => {
    // prettier-ignore
    const kernel = Float32Array.of(
      1, 5,
      2, 5,
      -3, 5,
      4, 5,
    );
    // prettier-ignore
    expect([...project(patternConstraint(2, 4, [{ name: 'a', size: 8, units: 2 }]), kernel)]).toEqual([
      0, 5,
      0, 5,
      -3, 0,
      4, 0,
    ]);
  });

  it('runs along the inputs of a unit whatever axis of the kernel the units are: no support with the pattern is nearer', () => {
    const layouts = fc.constantFrom([12, 3, 2], [12, 2, 6], [8, 4, 2], [10, 5, 2], [12, 2, 3]);
    fc.assert(
      fc.property(patterns, layouts, weights(12), ([n, m], [size, units, inner], values) => {
        const v = values.slice(0, size);
        const layer = { name: 'a', size: size!, units: units!, inner: inner! };
        // The same kernel with its units last, by hand.
        const inputs = size! / units!;
        const place = (input: number, unit: number) => {
          const outer = Math.floor(input / inner!);
          return outer * units! * inner! + unit * inner! + (input - outer * inner!);
        };
        const moved = (mask: number) => {
          let result = 0;
          for (let input = 0; input < inputs; input++)
            for (let unit = 0; unit < units!; unit++)
              if (has(mask, place(input, unit))) result |= 1 << (input * units! + unit);
          return result;
        };
        const theta = project(patternConstraint(n, m, [layer]), v);
        const best = bestSupport(v, (mask) => fits(moved(mask), size!, units!, n, m));
        expect(squaredDistance(v, theta)).toBeCloseTo(best, 12);
      }),
      { numRuns: 40 },
    );
  });

  it('refuses a NaN', () => {
    const bad = Float32Array.of(1, NaN);
    expect(() => project(patternConstraint(1, 2, [{ name: 'a', size: 2, units: 1 }]), bad)).toThrow(RangeError);
  });
});
