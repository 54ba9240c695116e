/** Keras's Normalization (keras.io/api/layers/preprocessing_layers/numerical/normalization): (x - mean) / max(sqrt(variance), 1e-7). */
import { field, type Json } from '../../layers/layerConfig.js';

/** Lower bound of the deviation; `keras.config.epsilon()`. */
export const LEAST_DEVIATION = 1e-7;

/**
 * The axes with statistics of their own, counted with the batch, ascending; all others share one. A single pair of statistics is an empty list.
 * @param rank of the input, the batch counted. @returns null if an axis is not one of a sample.
 */
export function keptAxes(config: Json, rank: number): number[] | null {
  const given = field(config, 'axis');
  const list = given === undefined ? [-1] : given === null ? [] : [given].flat();
  const axes = list.map((axis) => (typeof axis === 'number' && axis < 0 ? axis + rank : axis));
  const fits = axes.every((axis): axis is number => Number.isInteger(axis) && (axis as number) > 0 && (axis as number) < rank);
  return fits ? [...new Set(axes)].sort((a, b) => a - b) : null;
} // prettier-ignore

/** Nested lists of numbers, or one number. */
export type Statistic = number | readonly Statistic[];

const isStatistic = (value: unknown): value is Statistic =>
  (typeof value === 'number' && Number.isFinite(value)) || (Array.isArray(value) && value.every(isStatistic));

/**
 * Mean and variance in the config; null if they were adapted to data, and are weights.
 * @throws (through `refuse`) if there is only one, or a value is not a number.
 */
export function givenStatistics(
  config: Json,
  refuse: (problem: string) => never,
): { readonly mean: Statistic; readonly variance: Statistic } | null {
  const [mean, variance] = [field(config, 'mean') ?? null, field(config, 'variance') ?? null];
  if (mean === null && variance === null) return null;
  if (!isStatistic(mean) || !isStatistic(variance))
    return refuse('has no readable mean and variance; adapt it, or give it both, and save again');
  return { mean, variance };
}

/** Rewrites in place statistics of a config that have outer axes of 1 beyond the axes with statistics: later versions of Keras 3 reject them. */
export function dropOuterAxes(config: Json): void {
  const axis = field(config, 'axis');
  const axes = axis === null ? 0 : Array.isArray(axis) ? axis.length : 1;
  const depth = (value: unknown): number => (Array.isArray(value) ? 1 + depth(value[0]) : 0);
  for (const key of ['mean', 'variance'])
    for (
      let value = config[key];
      Array.isArray(value) && value.length === 1 && depth(value) > axes;
      value = config[key]
    )
      config[key] = (value as unknown[])[0];
}

/**
 * The shape in which statistics of a config broadcast to an input: aligned with the axes that have statistics, from the last one. Earlier versions of
 * Keras 3 aligned them with all axes, which statistics of more axes still need.
 * @param shape of the statistics. @param axes of `keptAxes`. @param rank of the input, the batch counted.
 */
export function placedStatistics(shape: readonly number[], axes: readonly number[], rank: number): readonly number[] {
  if (shape.length > axes.length) return shape;
  const own = axes.slice(axes.length - shape.length);
  return Array.from({ length: rank }, (_, axis) => (own.includes(axis) ? shape[own.indexOf(axis)]! : 1));
}

/** Whether mean and variance are weights. */
export const isAdapted = (config: Json): boolean => field(config, 'mean') == null && field(config, 'variance') == null;
