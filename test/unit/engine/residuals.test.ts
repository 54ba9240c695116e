import { expect, it } from 'vitest';
import { Residuals } from '../../../daemon/engine/residuals.js';
import { createRandom } from '../../../daemon/lc/random.js';

const gather = (output: number[], target: number[], size: number, batch: number) => {
  const residuals = new Residuals(size);
  for (let at = 0; at < output.length; at += batch * size) {
    const part = (values: number[]) => Float32Array.from(values.slice(at, at + batch * size));
    residuals.add(part(output), part(target), part(output).length / size);
  }
  return residuals;
};

it('always answering the mean explains nothing, the truth everything, whatever the batches', () => {
  const random = createRandom(2);
  // A large mean and a small spread: naive sums of squares would have no digit left in float32.
  const target = Array.from({ length: 400 }, () => Math.fround(10_000 + random.normal()));
  const mean = target.reduce((sum, y) => sum + y, 0) / target.length;
  for (const batch of [1, 7, 400]) {
    // float32 outputs of 10,000 are 0.001 apart.
    expect(
      gather(
        target.map(() => mean),
        target,
        1,
        batch,
      ).unexplained,
    ).toBeCloseTo(1, 4);
    expect(gather(target, target, 1, batch).unexplained).toBe(0);
  }
  const off = gather(
    target.map((y, i) => y + (i % 2 ? 0.5 : -0.5)),
    target,
    1,
    64,
  );
  expect(off.meanAbsolute).toBeCloseTo(0.5, 3);
  expect(off.unexplained).toBeCloseTo(0.25 / (target.reduce((s, y) => s + (y - mean) ** 2, 0) / 400), 3);
});

it('outputs have means of their own', () => {
  const target = [0, 100, 2, 102, 4, 104];
  expect(gather([2, 102, 2, 102, 2, 102], target, 2, 2).unexplained).toBeCloseTo(1, 12);
  expect(gather([51, 51, 51, 51, 51, 51], target, 2, 2).unexplained).toBeGreaterThan(100);
});

it('targets that do not vary: hit or missed', () => {
  expect(gather([3, 3], [3, 3], 1, 2).unexplained).toBe(0);
  expect(gather([3, 4], [3, 3], 1, 2).unexplained).toBe(1);
  expect(gather([NaN], [3], 1, 1).unexplained).toBeNaN();
});
