import { expect, it } from 'vitest';
import { nearest, suggestion } from '../../../daemon/plan/suggest.js';

it.each([
  ['kep', 'keep'],
  ['wieghts', 'weights'],
  ['KEEP', 'keep'],
])('nearest(%s) is %s', (word, expected) => expect(nearest(word, ['keep', 'weights', 'bytes'])).toBe(expected));

it('suggests nothing far away, and lists what there is', () => {
  expect(nearest('zebra', ['keep', 'weights'])).toBeNull();
  expect(suggestion('zebra', ['keep', 'weights'])).toBe('known: keep, weights');
});

it('stays fast on long words', () => expect(nearest('x'.repeat(100_000), ['keep'])).toBeNull());
