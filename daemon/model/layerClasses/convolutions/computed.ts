/**
 * Convolutions of Keras 3 in operations that every engine has, for classes and settings that TensorFlow.js lacks (keras/src/layers/convolutional). All
 * of them take one to three axes of space or time, and pad explicitly, as TensorFlow does.
 */
import type * as Core from '@tensorflow/tfjs-core';
import { channelsFirst, field, numberAt, stringAt, tupleAt, type Json } from '../../layers/layerConfig.js';
import { sizeOf } from '../../../protocol/shape.js';
import { activate } from '../activations/ownActivations.js';

type Tensor = Core.Tensor;
type Tf = typeof Core;

/** Groups of channels that a convolution keeps apart. */
export const groupsOf = (config: Json): number => numberAt(config, 'groups') ?? 1;

export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: string;
}

export const windowOf = (config: Json, n: number): Window => ({
  strides: tupleAt(config, 'strides', n, 1)!,
  dilations: tupleAt(config, 'dilation_rate', n, 1)!,
  padding: (stringAt(config, 'padding') ?? 'valid').toLowerCase(),
});

/** Applies `body` to x with its channels last. */
export function overChannelsLast(tf: Tf, config: Json, x: Tensor, body: (x: Tensor) => Tensor): Tensor {
  if (!channelsFirst(config)) return body(x);
  const space = Array.from({ length: x.rank - 2 }, (_, i) => i);
  const y = body(tf.transpose(x, [0, ...space.map((i) => i + 2), 1]));
  return tf.transpose(y, [0, y.rank - 1, ...space.map((i) => i + 1)]);
}

/** x with the zeros around it that make "valid" of the padding. */
function padded(tf: Tf, x: Tensor, kernel: readonly number[], { strides, dilations, padding }: Window): Tensor {
  const pads = kernel.map((size, i): [number, number] => {
    const wide = (size - 1) * dilations[i]! + 1;
    if (padding === 'causal') return [wide - 1, 0];
    if (padding !== 'same') return [0, 0];
    const [length, stride] = [x.shape[i + 1]!, strides[i]!];
    const total = Math.max((Math.ceil(length / stride) - 1) * stride + wide - length, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return pads.flat().every((n) => n === 0) ? x : tf.pad(x, [[0, 0], ...pads, [0, 0]]);
}

/** A second axis of space, of size 1. */
const asImage = (tf: Tf, x: Tensor): Core.Tensor4D =>
  tf.reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]) as Core.Tensor4D;
const kernelOfImage = (tf: Tf, kernel: Tensor): Core.Tensor4D =>
  tf.reshape(kernel, [kernel.shape[0]!, 1, ...kernel.shape.slice(1)] as number[]) as Core.Tensor as Core.Tensor4D;
const asSequence = (tf: Tf, y: Tensor): Tensor => tf.reshape(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]);

function valid(tf: Tf, x: Tensor, kernel: Tensor, { strides, dilations }: Window): Tensor {
  const n = strides.length;
  if (n === 1)
    return asSequence(tf, tf.conv2d(asImage(tf, x), kernelOfImage(tf, kernel), [strides[0]!, 1], 'valid', 'NHWC', [dilations[0]!, 1])); // prettier-ignore
  if (n === 2)
    return tf.conv2d(x as Core.Tensor4D, kernel as Core.Tensor4D, strides as [number, number], 'valid', 'NHWC', dilations as [number, number]); // prettier-ignore
  return tf.conv3d(x as Core.Tensor5D, kernel as Core.Tensor5D, strides as [number, number, number], 'valid', 'NDHWC', dilations as [number, number, number]); // prettier-ignore
}

function validDepthwise(tf: Tf, x: Tensor, kernel: Tensor, { strides, dilations }: Window): Tensor {
  // The second axis of a sequence has one row: a stride along it changes nothing.
  const [stride, dilation] = [strides, dilations].map((of) => (of.length === 1 ? [of[0]!, of[0]!] : of)) as [number, number][]; // prettier-ignore
  if (strides.length === 2)
    return tf.depthwiseConv2d(x as Core.Tensor4D, kernel as Core.Tensor4D, stride!, 'valid', 'NHWC', dilation!);
  return asSequence(tf, tf.depthwiseConv2d(asImage(tf, x), kernelOfImage(tf, kernel), stride!, 'valid', 'NHWC', dilation!)); // prettier-ignore
}

const spatial = (kernel: Tensor): number[] => kernel.shape.slice(0, -2);

/** @param kernel [...size, channels, multiplier]; at most two axes. */
export const depthwise = (tf: Tf, x: Tensor, kernel: Tensor, window: Window): Tensor =>
  validDepthwise(tf, padded(tf, x, spatial(kernel), window), kernel, window);

/** @param kernel [...size, channels / groups, filters]. */
export function convolve(tf: Tf, x: Tensor, kernel: Tensor, window: Window, groups = 1): Tensor {
  const input = padded(tf, x, spatial(kernel), window);
  if (groups === 1) return valid(tf, input, kernel, window);
  const channels = x.shape.at(-1)!;
  const filters = kernel.shape.at(-1)!;
  const even = new Set(window.strides).size === 1;
  if (groups === channels && window.strides.length < 3 && even)
    return validDepthwise(tf, input, tf.reshape(kernel, [...spatial(kernel), channels, filters / channels]), window);
  const kernels = tf.split(kernel, groups, -1);
  return tf.concat(tf.split(input, groups, -1).map((part, i) => valid(tf, part, kernels[i]!, window)), -1); // prettier-ignore
}

/** Length of a transposed convolution along one axis (keras/src/backend/common/backend_utils.py, _get_output_shape_given_tf_padding). */
export function transposedLength(length: number, size: number, stride: number, dilation: number, padding: string, extra: number | null): number {
  const wide = (size - 1) * dilation + 1;
  const same = padding !== 'valid';
  if (extra === null) return same ? length * stride : length * stride + Math.max(wide - stride, 0);
  return (length - 1) * stride + (same ? wide % 2 : wide) + extra;
} // prettier-ignore

/** The kernel with zeros between its rows. */
function dilated(tf: Tf, kernel: Tensor, dilations: readonly number[]): Tensor {
  return dilations.reduce((wide, rate, axis) => {
    if (rate === 1) return wide;
    const { shape } = wide;
    const [outer, size, inner] = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
    const spread = tf.pad(tf.reshape(wide, [outer * size, 1, inner]), [[0, 0], [0, rate - 1], [0, 0]]);
    const whole = tf.reshape(spread, [outer, size * rate, inner]);
    const length = (size - 1) * rate + 1;
    return tf.reshape(tf.slice(whole, [0, 0, 0], [outer, length, inner]), shape.with(axis, length));
  }, kernel);
} // prettier-ignore

/** Each input position adds its kernel, [...size, filters, channels], to the output. */
export function convolveTransposed(tf: Tf, x: Tensor, given: Tensor, window: Window, extra: readonly number[] | null): Tensor {
  const { strides, dilations, padding } = window;
  const kernel = dilated(tf, given, dilations);
  const filters = kernel.shape.at(-2)!;
  const sizes = spatial(kernel);
  const space = x.shape.slice(1, -1);
  const full = space.map((length, i) => (length - 1) * strides[i]! + sizes[i]!);
  const shape = [x.shape[0]!, ...full, filters];
  let y: Tensor;
  if (space.length === 1) {
    const image = tf.conv2dTranspose(asImage(tf, x), kernelOfImage(tf, kernel), [shape[0]!, shape[1]!, 1, filters], [strides[0]!, 1], 'valid'); // prettier-ignore
    y = asSequence(tf, image);
  } else if (space.length === 2)
    y = tf.conv2dTranspose(x as Core.Tensor4D, kernel as Core.Tensor4D, shape as [number, number, number, number], strides as [number, number], 'valid'); // prettier-ignore
  else
    y = tf.conv3dTranspose(x as Core.Tensor5D, kernel as Core.Tensor5D, shape as [number, number, number, number, number], strides as [number, number, number], 'valid'); // prettier-ignore
  const wanted = space.map((length, i) =>
    transposedLength(length, given.shape[i]!, strides[i]!, dilations[i]!, padding, extra?.[i] ?? null),
  );
  // What "same" leaves out in front; behind the last window there are zeros.
  const before = full.map((length, i) => (padding === 'same' ? Math.floor(Math.max(length - wanted[i]!, 0) / 2) : 0));
  const kept = full.map((length, i) => Math.min(length - before[i]!, wanted[i]!));
  const cut = tf.slice(y, [0, ...before, 0], [shape[0]!, ...kept, filters]);
  const behind = wanted.map((length, i): [number, number] => [0, length - kept[i]!]);
  return behind.some(([, n]) => n > 0) ? tf.pad(cut, [[0, 0], ...behind, [0, 0]]) : cut;
} // prettier-ignore

/** Adds the bias and applies the activation, over channels last. */
export const finished = (tf: Tf, config: Json, y: Tensor, bias: Tensor | undefined): Tensor =>
  activate(tf, config, bias ? tf.add(y, bias) : y);

/** Whether a setting of one number for each axis is other than 1. */
export const isWide = (config: Json, key: string): boolean =>
  [field(config, key) ?? 1].flat().some((value) => value !== 1);
