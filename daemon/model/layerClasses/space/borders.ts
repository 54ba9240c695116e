/** Borders that are added to images or cut off them. */
import { field } from '../../layers/layerConfig.js';
import { positive } from '../../layers/shape.js';
import type { ShapeRule } from '../layerClass.js';
import { on, spatial } from '../rules/shapes.js';

/** [[top, bottom], [left, right]] of a number, a pair, or a pair of pairs. */
function edges(value: unknown, fallback: number): number[][] | null {
  const given = value ?? fallback;
  if (typeof given === 'number')
    return [
      [given, given],
      [given, given],
    ];
  if (!Array.isArray(given) || given.length !== 2) return null;
  const pairs = (given as unknown[]).map((side) => (typeof side === 'number' ? [side, side] : side));
  return pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((n) => typeof n === 'number'))
    ? (pairs as number[][])
    : null;
}

export const bordered = (key: string, fallback: number, sign: 1 | -1): ShapeRule =>
  on(3, (config, input) => {
    const border = edges(field(config, key), fallback);
    if (!border) return null;
    return spatial(config, input, (size, axis) =>
      size === null ? null : positive(size + sign * (border[axis]![0]! + border[axis]![1]!)),
    );
  });
