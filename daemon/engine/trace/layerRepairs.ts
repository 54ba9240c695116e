/**
 * Replacements for the `call` of layers that TensorFlow.js 4.22 computes for some ranks and axes only, or that allocate large
 * arrays while they are recorded. They serve tracing; the layers' weights and shapes stay as they are.
 */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { allLayers } from '../layerTree.js';
import { inverse, type RandomSpec } from '../../network/ir.js';
import { isComputedLayer } from '../ownLayers/computedLayers.js';
import { draw } from './backend.js';
import { sizeOf } from '../../protocol/shape.js';
import type { ClassName } from '../../model/layerClasses/registry.js';
import { own } from '../../model/layers/layerConfig.js';

type Layer = tfl.layers.Layer;
type Variable = tfl.LayerVariable | null | undefined;

const single = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);

/** Applies `body` to the input with the given axes moved to the end, in their order, and moves the axes of the result back. */
function withLast(x: tf.Tensor, axes: readonly number[], body: (moved: tf.Tensor) => tf.Tensor): tf.Tensor {
  const perm = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  if (perm.every((axis, i) => axis === i)) return body(x);
  return tf.transpose(body(tf.transpose(x, perm)), inverse(perm)); // prettier-ignore
}

const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** TensorFlow.js reads weights that do not exist without scale or centre, and normalises only the last axis of rank 2 to 4. */
function batchNormalization(layer: Layer): void {
  const settings = layer as unknown as { axis: number; gamma: Variable; beta: Variable; movingMean: tfl.LayerVariable };
  const { axis, gamma, beta, movingMean } = settings;
  const constant = (value: number) => ({ read: () => tf.fill(movingMean.shape as number[], value) });
  Object.assign(layer, { gamma: gamma ?? constant(1), beta: beta ?? constant(0), axis: -1 });
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const x = single(inputs);
    return withLast(x, [fromFront(axis, x.rank)], (moved) => {
      if (moved.rank <= 4) return call(moved, kwargs) as tf.Tensor;
      const rows = tf.reshape(moved, [-1, moved.shape.at(-1)!]);
      return tf.reshape(call(rows, kwargs) as tf.Tensor, moved.shape);
    });
  };
}

/** TensorFlow.js tiles mean and scale to the input's size, requires a scale and a centre, and supports ranks up to 4. */
function layerNormalization(layer: Layer): void {
  const { axis, gamma, beta, epsilon } = layer as unknown as Record<'gamma' | 'beta', Variable> & { axis: number[]; epsilon: number }; // prettier-ignore
  layer.call = (inputs) =>
    withLast(single(inputs), axis, (x) => {
      const size = sizeOf(x.shape.slice(x.rank - axis.length));
      const rows = tf.reshape(x, [-1, size]);
      const { mean, variance } = tf.moments(rows, [1], true);
      let y: tf.Tensor = tf.div(tf.sub(rows, mean), tf.sqrt(tf.add(variance, epsilon)));
      if (gamma) y = tf.mul(y, tf.reshape(gamma.read(), [size]));
      if (beta) y = tf.add(y, tf.reshape(beta.read(), [size]));
      return tf.reshape(y, x.shape);
    });
}

/** TensorFlow.js adds a bias to at most five axes, so the leading axes are merged into one. */
function dense(layer: Layer): void {
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const x = single(inputs);
    if (x.rank <= 5) return call(inputs, kwargs);
    const y = call(tf.reshape(x, [-1, x.shape.at(-1)!]), kwargs) as tf.Tensor;
    return tf.reshape(y, [...x.shape.slice(0, -1), y.shape.at(-1)!]);
  };
}

/** TensorFlow.js computes a softmax over the last axis only. */
function softmax(layer: Layer): void {
  const { axis } = layer as unknown as { axis: number | number[] };
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const x = single(inputs);
    // The original call refuses masks.
    if (typeof axis !== 'number' || kwargs['mask']) return call(inputs, kwargs);
    return withLast(x, [fromFront(axis, x.rank)], (moved) => tf.softmax(moved));
  };
}

/** Computes all steps at once, as Keras does, with time beside the batch; TensorFlow.js calls the layer step by step. */
function timeDistributed(layer: Layer): void {
  const { layer: inner } = layer as unknown as { layer: Layer };
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    if (kwargs['mask']) return call(inputs, kwargs);
    const x = single(inputs);
    const [batch, time, ...sample] = x.shape as [number, number, ...number[]];
    const y = single(inner.call(tf.reshape(x, [batch * time, ...sample]), kwargs));
    return tf.reshape(y, [batch, time, ...y.shape.slice(1)]);
  };
}

/** Cells whose layer is not of their own class keep their dropout masks from one pass to the next, which may have another batch. */
function freshDropout(layer: Layer): void {
  const { cell } = layer as unknown as { cell: Layer };
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    for (const inner of allLayers([cell])) Object.assign(inner, { dropoutMask: null, recurrentDropoutMask: null });
    return call(inputs, kwargs);
  };
}

/** TensorFlow.js draws a number for every element while a step is recorded, though only the shape is needed. */
const drawn = (shape: readonly number[], random: RandomSpec): tf.Tensor =>
  tf.engine().runKernel(draw, {}, { shape, random } as object as tf.NamedAttrMap) as unknown as tf.Tensor;

/** In training `noisy` replaces the layer's call; with a `rate` of 0 or out of range the layer does nothing. */
function noise(layer: Layer, rate: number, noisy: (x: tf.Tensor) => tf.Tensor): void {
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    if (kwargs['training'] !== true) return call(inputs, kwargs);
    return rate > 0 ? noisy(single(inputs)) : single(inputs);
  };
}

/** In TensorFlow.js a rate of 1 or more drops nothing. */
const dropRate = (layer: Layer): number => {
  const { rate } = layer as unknown as { rate: number };
  return rate < 1 ? rate : 0;
};

function dropout(layer: Layer): void {
  const { getNoiseShape } = layer as unknown as { getNoiseShape(x: tf.Tensor): number[] | null };
  const rate = dropRate(layer);
  noise(layer, rate, (x) => {
    const uniform = drawn(getNoiseShape.call(layer, x) ?? x.shape, { kind: 'uniform' });
    return tf.mul(x, tf.div(tf.floor(tf.add(uniform, 1 - rate)), 1 - rate));
  });
}

function gaussianNoise(layer: Layer): void {
  const { stddev } = layer as unknown as { stddev: number };
  noise(layer, stddev, (x) => tf.add(drawn(x.shape, { kind: 'normal', mean: 0, std: stddev }), x));
}

function gaussianDropout(layer: Layer): void {
  const rate = dropRate(layer);
  const std = Math.sqrt(rate / (1 - rate));
  noise(layer, rate, (x) => tf.mul(x, drawn(x.shape, { kind: 'normal', mean: 1, std })));
}

/** Dropped values become the value that SELU tends to; the affine map keeps mean and variance. (Klambauer et al. 2017, section 3) */
function alphaDropout(layer: Layer): void {
  const { noiseShape } = layer as unknown as { noiseShape?: readonly number[] };
  const rate = dropRate(layer);
  const least = -1.0507009873554805 * 1.6732632423543772;
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * least ** 2));
  noise(layer, rate, (x) => {
    const kept = tf.cast(tf.greaterEqual(drawn(noiseShape ?? x.shape, { kind: 'uniform' }), rate), 'float32');
    const mixed = tf.add(tf.mul(x, kept), tf.mul(tf.sub(1, kept), least));
    return tf.add(tf.mul(mixed, scale), -scale * least * rate);
  });
}

const repairs: { readonly [C in ClassName]?: (layer: Layer) => void } = {
  BatchNormalization: batchNormalization,
  Dense: dense,
  LayerNormalization: layerNormalization,
  Softmax: softmax,
  RNN: freshDropout,
  TimeDistributed: timeDistributed,
  Dropout: dropout,
  SpatialDropout1D: dropout,
  GaussianNoise: gaussianNoise,
  GaussianDropout: gaussianDropout,
  AlphaDropout: alphaDropout,
};

/** Gives a layer built for tracing a `call` that can be trained, if its own cannot. */
export function repairLayer(layer: Layer): void {
  if (!isComputedLayer(layer)) own(repairs, layer.getClassName())?.(layer);
}
