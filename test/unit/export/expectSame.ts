import { expect } from 'vitest';

/** Equal to 1e-6 of the values' magnitude (of 1 if they are smaller). */
export function expectSame(actual: Float32Array, expected: Float32Array, label: string, relative = 1e-6): void {
  expect(actual.length, label).toBe(expected.length);
  expected.forEach((value, i) => {
    const same = Object.is(actual[i], value) || Math.abs(actual[i]! - value) <= relative * Math.max(1, Math.abs(value));
    if (!same) expect.fail(`${label}: output ${i} is ${actual[i]}, not ${value}`);
  });
}
