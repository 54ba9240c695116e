import { describe, expect, it } from 'vitest';
import { splitRows, type SplitRequest } from '../../../daemon/data/batches/splits.js';

const request: SplitRequest = {
  name: 'data',
  trainSize: 100,
  testSize: 30,
  validation: 0,
  limit: null,
  seed: 5,
  purpose: 'train',
};
const sorted = (...parts: Uint32Array[]) => parts.flatMap((part) => [...part]).sort((a, b) => a - b);
const range = (n: number) => [...Array(n).keys()];

describe('splitRows', () => {
  it('without validation: the file unchanged', () => {
    const rows = splitRows(request);
    expect([...rows.train]).toEqual(range(100));
    expect([...rows.test]).toEqual(range(30));
    expect(rows.validation.length).toBe(0);
  });

  it.each([
    [0.25, 25],
    [7, 7],
  ])('validation %d holds out %d, disjoint, by seed', (validation, count) => {
    const rows = splitRows({ ...request, validation });
    expect(rows.validation.length).toBe(count);
    expect(sorted(rows.train, rows.validation)).toEqual(range(100));
    expect(splitRows({ ...request, validation })).toEqual(rows);
    expect(splitRows({ ...request, validation, seed: 6 }).validation).not.toEqual(rows.validation);
  });

  it('limit takes the first samples, then validation is taken from them', () => {
    const rows = splitRows({ ...request, limit: 40, validation: 0.5 });
    expect(sorted(rows.train, rows.validation)).toEqual(range(40));
    expect(rows.validation.length).toBe(20);
  });

  it('without a test part, 20% are held out and nothing is in two parts', () => {
    const rows = splitRows({ ...request, testSize: null, validation: 10 });
    expect([rows.test.length, rows.validation.length, rows.train.length]).toEqual([20, 10, 70]);
    expect(sorted(rows.train, rows.validation, rows.test)).toEqual(range(100));
    expect(rows.notes.length).toBe(1);
  });

  it.each([2, 3, 4, 7])('of %d samples each part that is asked for has one, and training the most', (trainSize) => {
    const rows = splitRows({ ...request, trainSize, testSize: null, validation: trainSize > 2 ? 0.1 : 0 });
    expect(rows.test.length).toBe(1);
    expect(rows.validation.length).toBe(trainSize > 2 ? 1 : 0);
    expect(rows.train.length).toBeGreaterThanOrEqual(1);
    expect(sorted(rows.train, rows.validation, rows.test)).toEqual(range(trainSize));
    expect(rows.notes).toEqual([expect.stringMatching(`1 of ${trainSize} samples`)]);
  });

  it('evaluating without a test part takes everything', () => {
    const rows = splitRows({ ...request, testSize: null, purpose: 'evaluate' });
    expect([...rows.test]).toEqual(range(100));
  });

  it('refuses a validation that leaves nothing', () => {
    expect(() => splitRows({ ...request, validation: 100 })).toThrow(/"validation" takes 100 of 100/);
  });
});
