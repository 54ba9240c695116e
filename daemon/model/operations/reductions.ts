/** Reductions along axes of the sample. */
import type * as Core from '@tensorflow/tfjs-core';
import type { Json } from '../layers/layerConfig.js';
import type { Shape } from '../layers/shape.js';
import type { KerasClass, Operation, OperationConfig } from './operation.js';
import type { Refuse } from '../layers/refuse.js';

/** Axes of the sample, without the batch, in order; null if the sample does not have one of them. */
function axesOf(settings: Json, rank: number): number[] | null {
  const axes = (settings.axis as number[]).map((axis) => (axis < 0 ? axis + rank : axis - 1));
  return axes.every((axis) => axis >= 0 && axis < rank) ? [...new Set(axes)].sort((a, b) => a - b) : null;
}

function settings(given: Json, refuse: Refuse): Json {
  const value = given.axis ?? given.reduction_indices;
  if (value == null) return refuse('reduces over all axes, the samples of a batch too; name the axes of a sample');
  const axis = [value].flat() as unknown[];
  if (axis.some((one) => typeof one !== 'number')) return refuse('has an "axis" that is no number');
  if (axis.includes(0)) return refuse('reduces over the samples of a batch (axis 0), which are independent here');
  return { axis: axis as number[], keepdims: given.keepdims === true || given.keep_dims === true };
}

/** Maximum or minimum along axes; equal extremes share the gradient, as in TensorFlow. */
export const extreme = (
  tf: typeof Core,
  x: Core.Tensor,
  axes: number[],
  keepDims: boolean,
  sign: 1 | -1,
): Core.Tensor =>
  tf.customGrad((input, save) => {
    const given = input as Core.Tensor;
    const y = sign === 1 ? tf.max(given, axes, keepDims) : tf.min(given, axes, keepDims);
    (save as Core.GradSaveFunc)([given, y]);
    const gradFunc = (dy: Core.Tensor, [saved, found]: Core.Tensor[]) => {
      const kept = saved!.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
      const equal = tf.cast(tf.equal(saved!, tf.reshape(found!, kept)), 'float32');
      return tf.mul(tf.div(tf.reshape(dy, kept), tf.sum(equal, axes, true)), equal);
    };
    return { value: y, gradFunc };
  })(x);

/** For images and sequences whose last axis stays. */
function pooling(kind: 'Average' | 'Max', { name, settings: given }: OperationConfig, input: Shape) {
  const axes = axesOf(given, input.length);
  if (given.keepdims === true || axes?.length !== input.length - 1 || axes.includes(input.length - 1)) return null;
  if (axes.length !== 1 && axes.length !== 2) return null;
  const data = axes.length === 2 ? { data_format: 'channels_last' } : {};
  return { class_name: `Global${kind}Pooling${axes.length}D`, config: { name, trainable: true, ...data } };
}

const reduction = (
  keras: KerasClass,
  tensorflow: string,
  reduce: (tf: typeof Core, x: Core.Tensor, axes: number[], keepDims: boolean) => Core.Tensor,
  layer?: 'Average' | 'Max',
): Operation => ({
  keras,
  alsoKeras: [],
  tensorflow: [tensorflow],
  arity: 1,
  settings,
  shape([input = null], { settings: given }) {
    const axes = input && axesOf(given, input.length);
    if (!input || !axes) return null;
    return given.keepdims === true
      ? input.map((n, axis) => (axes.includes(axis) ? 1 : n))
      : input.filter((_, axis) => !axes.includes(axis));
  },
  compute: (tf, [x], given) => reduce(tf, x!, axesOf(given, x!.rank - 1)!.map((axis) => axis + 1), given.keepdims === true), // prettier-ignore
  ...(layer && { asLayer: (config: OperationConfig, [input]: readonly Shape[]) => pooling(layer, config, input!) }),
});

const numpy = (className: string): KerasClass => ({ module: 'numpy', className });

export const REDUCTIONS: Readonly<Record<string, Operation>> = {
  mean: reduction(numpy('Mean'), 'reduce_mean', (tf, x, axes, keep) => tf.mean(x, axes, keep), 'Average'),
  sum: reduction(numpy('Sum'), 'reduce_sum', (tf, x, axes, keep) => tf.sum(x, axes, keep)),
  max: reduction(numpy('Max'), 'reduce_max', (tf, x, axes, keep) => extreme(tf, x, axes, keep, 1), 'Max'),
  min: reduction(numpy('Min'), 'reduce_min', (tf, x, axes, keep) => extreme(tf, x, axes, keep, -1)),
};
