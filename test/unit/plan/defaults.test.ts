import { expect, it } from 'vitest';
import { usualKeep } from '../../../daemon/plan/defaults.js';

it('a new plan keeps the boldest share that leaves a thousand weights, else 30%', () => {
  const of = [266_200, 100_000, 99_999, 33_334, 10_000, 9_999, 688, 0].map(usualKeep);
  expect(of).toEqual(['1%', '1%', '3%', '3%', '10%', '30%', '30%', '30%']);
});
