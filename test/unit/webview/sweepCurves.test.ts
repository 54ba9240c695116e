/** Which rows of a sweep are on which curve, how far intervals reach, and what a row says. */
import { expect, test, vi } from 'vitest';
import type { SweepRow } from '../../../daemon/protocol/runs/sweepResults.js';

vi.stubGlobal('document', { getElementById: () => null });
const { intervalOf, nearestPlace, referenceLevel, rowText, sweepCurves } =
  await import('../../../webview/sweep/curves.js');

const row = (values: SweepRow['values'], kept: number, change: Partial<SweepRow> = {}): SweepRow => ({
  values,
  method: 'lc',
  runs: 3,
  folders: [],
  kept,
  prunable: 1000,
  bytes: null,
  reference: { mean: 0.02, deviation: 0.001 },
  theta: { mean: 0.1, deviation: null },
  error: { mean: 0.03, deviation: 0.002 },
  decision: { mean: null, deviation: null },
  seconds: 5,
  best: false,
  ...change,
});

test('a curve has the rows that differ in their budget only, from small to large', () => {
  const curves = sweepCurves([
    row({ 'budget.keep': '10%', 'schedule.a': 1.1 }, 100),
    row({ 'budget.keep': '10%', 'schedule.a': 1.5 }, 100),
    row({ 'budget.keep': '1%', 'schedule.a': 1.1 }, 10),
    row({ 'budget.keep': '1%', 'schedule.a': 1.1 }, 10, { method: 'gradual' }),
    row({ 'tasks.0.budget.keep': '2%', 'schedule.a': 1.1 }, 20),
  ]);
  expect(curves.map(({ method, values, points }) => [method, values, points.map(({ share }) => share)])).toEqual([
    ['lc', 'schedule.a=1.1', [0.01, 0.02, 0.1]],
    ['lc', 'schedule.a=1.5', [0.1]],
    ['gradual', 'schedule.a=1.1', [0.01]],
  ]);
});

test('rows without an error or without weights are on no curve', () => {
  const none = { mean: null, deviation: null };
  expect(sweepCurves([row({}, 0), row({}, 10, { error: none }), row({}, 10, { prunable: 0, kept: 0 })])).toEqual([]);
});

test('an interval is a deviation up and down, not below 0, and one run has none', () => {
  expect(intervalOf({ error: 0.25, deviation: 0.125 })).toEqual([0.125, 0.375]);
  expect(intervalOf({ error: 0.25, deviation: 0.5 })).toEqual([0, 0.75]);
  expect(intervalOf({ error: 0.25, deviation: null })).toBeNull();
});

test('the level of the reference is the lowest of several', () => {
  const other = { mean: 0.01, deviation: null };
  expect(referenceLevel([row({}, 1), row({}, 2)])).toEqual({ error: 0.02, isLowest: false });
  expect(referenceLevel([row({}, 1), row({}, 2, { reference: other })])).toEqual({ error: 0.01, isLowest: true });
  expect(referenceLevel([row({}, 1, { reference: { mean: null, deviation: null } })])).toBeNull();
});

test('the nearest place is that by distance', () => {
  expect(nearestPlace([[0, 0], [10, 0], [10, 9]], 9, 6)).toBe(2); // prettier-ignore
});

test('a row has its values, its errors with deviations, and of how many runs', () => {
  const one = row({ 'budget.keep': '5%' }, 50, { runs: 1, error: { mean: 0.03, deviation: null }, reference: { mean: null, deviation: null } }); // prettier-ignore
  expect(rowText(one, 'LC', 'test')).toBe('LC budget.keep=5%: 5.00% kept, test error 3.00% (1 run).');
  expect(rowText(row({}, 50, { bytes: 2048, best: true }), 'LC', null)).toBe(
    'LC: 5.00% kept, 2 kB as a sparse package, error 3.00% ± 0.20% (3 runs, reference 2.00% ± 0.10%). No other row beats it.',
  );
});
