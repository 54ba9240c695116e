/** Floors of layers: keys, places, sums, and the error between measured points. */
import { describe, expect, test } from 'vitest';
import { shareOf } from '../../../daemon/lc/share.js';
import { afterKey, curveOf, errorAt, heldBy, rounded } from '../../../webview/sensitivity/floor.js';

describe('keys', () => {
  test('arrows go from stop to stop in both directions and never past the ends', () => {
    let floor = 0;
    const up: number[] = [];
    for (let i = 0; i < 30; i++) up.push((floor = afterKey('ArrowRight', floor)!));
    expect(up.slice(0, 3)).toEqual([0.001, 0.0015, 0.002]);
    expect(up.at(-1)).toBe(1);
    const down: number[] = [];
    for (let i = 0; i < 30; i++) down.push((floor = afterKey('ArrowDown', floor)!));
    expect(down.at(-1)).toBe(0);
    expect([...new Set(down)].reverse().slice(1)).toEqual([...new Set(up)].slice(0, -1));
  });

  test('from between two stops to the next one; ends; others mean nothing', () => {
    expect(afterKey('ArrowUp', 0.023)).toBe(0.03);
    expect(afterKey('ArrowLeft', 0.023)).toBe(0.02);
    expect([afterKey('Home', 0.5), afterKey('End', 0.5), afterKey('a', 0.5)]).toEqual([0, 1, null]);
    expect(afterKey('PageUp', 0)).toBe(0.003);
    expect(afterKey('PageDown', 0.002)).toBe(0);
  });

  test('a place means two digits, none at the left end, all at the right', () => {
    expect([rounded(0.0004), rounded(0.012345), rounded(0.999), rounded(3)]).toEqual([0, 0.012, 1, 1]);
  });
});

test('weights held are those that the budget counts', () => {
  for (const weights of [1, 7, 100, 1000, 235_200])
    for (const floor of [0.001, 0.07, 0.1, 0.29, 0.5, 1])
      expect(heldBy({ weights }, floor), `${floor} of ${weights}`).toBe(shareOf(floor, weights));
  expect(heldBy({ weights: 100 }, 0)).toBe(0);
});

test('the error at a share: measured points themselves, between them along the logarithm, nothing below', () => {
  const points = [
    { share: 0.1, error: 0.2 },
    { share: 0.01, error: 0.6 },
    { share: 0.05, error: null },
  ];
  const curve = curveOf({ points }, 0.1);
  expect(curve.map(({ share }) => share)).toEqual([0.01, 0.1, 1]);
  expect(errorAt(curve, 0.1)).toBe(0.2);
  expect(errorAt(curve, 1)).toBe(0.1);
  expect(errorAt(curve, Math.sqrt(0.001))).toBeCloseTo(0.4, 10);
  expect(errorAt(curve, 0.005)).toBeNull();
  expect(errorAt(curveOf({ points: [] }, null), 0.5)).toBeNull();
});
