import { expect, test } from 'vitest';
import { sizeOf } from '../../../daemon/protocol/shape.js';

test('a tensor holds the product of its sizes, a scalar one number, and one with an empty axis none', () => {
  expect(sizeOf([2, 3, 4])).toBe(24);
  expect(sizeOf([])).toBe(1);
  expect(sizeOf([5, 0])).toBe(0);
});
