import { expect, it } from 'vitest';
import type { Finish } from '../../../daemon/protocol/finish.js';
import { finishText } from '../../../daemon/protocol/finishText.js';

const finish: Finish = {
  set: 'test',
  samples: 10000,
  regression: false,
  error: 0.0154,
  referenceError: 0.0178,
  kept: 2662,
  prunable: 266200,
  size: { bytes: 26624, reference: 1066440, format: 'Sparse package' },
  speed: { times: 13.04, what: 'sparse module', machine: 'A processor, 1 thread', here: true },
  notes: [],
  report: true,
};
const text = (part: Partial<Finish>) => finishText({ ...finish, ...part });

it('says what was measured, of which part of the data', () => {
  expect(text({})).toBe(
    '100x fewer weights, 26 kB instead of 1.02 MB, 13x faster here, 0.24 points better than the reference (test)',
  );
  expect(text({ set: 'train' })).toMatch(/\(training\)$/);
  expect(text({ set: null })).toMatch(/than the reference$/);
});

it('compares with the reference alone if there are no labels', () => {
  const unlabelled = { unlabelled: true, referenceError: 0, size: null, speed: null };
  expect(text(unlabelled)).toBe(
    '100x fewer weights, 1.54% of the samples answered differently from the reference (test)',
  );
  expect(text({ ...unlabelled, regression: true })).toBe(
    "100x fewer weights, 1.54% of the variance of the reference's answers unexplained (test)",
  );
});

it('leaves out what was not measured, and never calls worse better', () => {
  expect(text({ size: null, speed: null })).toBe('100x fewer weights, 0.24 points better than the reference (test)');
  expect(text({ size: null, speed: null, referenceError: null })).toBe('100x fewer weights');
  expect(text({ error: 0.0178 })).toMatch(/as good as the reference \(test\)$/);
  expect(text({ error: 0.02 })).toMatch(/0\.22 points worse than the reference/);
  // Less than a hundredth of a point is not nothing.
  expect(text({ error: 0.017801 })).toMatch(/0\.0001 points worse/);
  expect(text({ error: null })).toMatch(/no finite error \(test\)$/);
  expect(text({ kept: 266200 })).toMatch(/^all weights kept/);
  expect(text({ kept: 0 })).toMatch(/^no weights kept/);
});

it('a speed is of the machine that it was measured on, and may be slower', () => {
  const speed = (times: number, here = true) => text({ speed: { ...finish.speed!, times, here } });
  expect(speed(1.02)).toContain(', as fast here,');
  expect(speed(0.5)).toContain(', 2x slower here,');
  expect(speed(3, false)).toContain('3x faster on A processor, 1 thread');
});

it('errors of a regression are shares of the variance', () => {
  expect(text({ regression: true, error: 0.1, referenceError: 0.05 })).toMatch(
    /5 points more of the variance unexplained than by the reference \(test\)$/,
  );
});
