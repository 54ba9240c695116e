/** Borders that are added along the axes of space or time, or cropped from them. */
import { channelsFirst, field, type Json } from '../../layers/layerConfig.js';
import { positive } from '../../layers/shape.js';
import type { LayerClass, ShapeRule } from '../layerClass.js';
import { on, spatial } from '../rules/shapes.js';

export type Border = readonly [before: number, after: number];

const isPair = (value: unknown): value is Border =>
  Array.isArray(value) && value.length === 2 && value.every((n) => typeof n === 'number');

/**
 * A border for each of `n` axes, from a number for all, a pair for a sequence's one axis, or a number or a pair for each. null: the config has
 * something else.
 */
export function bordersOf(config: Json, key: string, n: number, fallback: number): Border[] | null {
  const given = field(config, key) ?? fallback;
  if (typeof given === 'number') return new Array<Border>(n).fill([given, given]);
  if (n === 1 && isPair(given)) return [given];
  if (!Array.isArray(given) || given.length !== n) return null;
  const pairs = (given as unknown[]).map((side) => (typeof side === 'number' ? [side, side] : side));
  return pairs.every(isPair) ? pairs : null;
}

/** @param sign 1 if the border is added, -1 if it is cropped. */
export const bordered = (n: number, key: string, fallback: number, sign: 1 | -1): ShapeRule =>
  on(n + 1, (config, input) => {
    const borders = bordersOf(config, key, n, fallback);
    if (!borders) return null;
    return spatial(config, input, (size, axis) =>
      size === null ? null : positive(size + sign * (borders[axis]![0] + borders[axis]![1])),
    );
  });

/** Why an input does not allow such a border; null: it does. */
export const borderProblem =
  (shape: ShapeRule): NonNullable<LayerClass['problem']> =>
  (config, input) => {
    const [output] = shape(config, [input], () => []);
    const fits = output?.every((size, axis) => size !== null || input[axis] === null);
    return fits
      ? null
      : `adds or cuts a border that an input of [${input.map((n) => n ?? '?').join(', ')}] cannot have`;
  };

const NONE: Border = [0, 0];

/** The borders of all axes of a tensor, with none for batch and channels. */
export const ofAllAxes = (config: Json, borders: readonly Border[]): Border[] =>
  channelsFirst(config) ? [NONE, NONE, ...borders] : [NONE, ...borders, NONE];
