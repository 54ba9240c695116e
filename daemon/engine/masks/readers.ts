/** Layers that compute differently under a mask: their `call` with `kwargs.mask`, as in Keras 3.15. */
import type * as Core from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { allLayers } from '../layerTree.js';
import { maskedExtreme, maskedProduct, type Mask } from './merging.js';
import { rowPresence } from './presence.js';
import { maskedRecurrence } from './recurrent.js';
import { refuse } from './refuse.js';
import type { ClassName } from '../../model/layerClasses/registry.js';
import { own } from '../../model/layers/layerConfig.js';

type Tensor = Core.Tensor;
type Layer = tfl.layers.Layer;
type Kwargs = Readonly<Record<string, unknown>>;

interface Reading {
  readonly tf: typeof Core;
  readonly layer: Layer;
  readonly inputs: readonly Tensor[];
  /** Of the inputs; at least one has a mask. */
  readonly masks: readonly Mask[];
  readonly kwargs: Kwargs;
  /** The layer's call without a mask. */
  readonly plain: () => Tensor | Tensor[];
  /** Sets the mask of a tensor for the layers that read it. */
  readonly setMask: (x: Tensor, mask: Tensor) => void;
  /** Keras's `zero_output_for_mask` of the layer. */
  readonly zeroOutput: boolean;
  /** The built layer's axis, if it has one. */
  readonly axis: number | undefined;
}

type Reader = (reading: Reading) => Tensor | Tensor[];

const recurrent: Reader = ({ tf, layer, inputs, masks, kwargs, zeroOutput }) =>
  maskedRecurrence(tf, layer, inputs[0]!, masks[0]!, kwargs, zeroOutput);

/** Its record's `compute` gets the masks. */
const computed: Reader = ({ plain }) => plain();

/** Both directions get the mask. */
const bidirectional: Reader = ({ plain }) => plain();

/** The mean of the steps that count; 0 if there are none, where Keras computes 0 / 0. */
const averagePooling: Reader = ({ tf, layer, inputs: [x], masks: [mask] }) => {
  if (mask!.rank !== 2 || x!.rank !== 3)
    refuse(layer, 'takes a mask that is not of samples and steps; mask whole steps');
  const sum = tf.sum(tf.mul(x!, tf.expandDims(mask!, -1)), 1);
  return tf.div(sum, tf.maximum(tf.sum(mask!, 1, true), 1));
};

/** Keras adds this to the number of steps that count. */
const EPSILON = 1e-7;

interface Normalization {
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma?: tfl.LayerVariable;
  readonly beta?: tfl.LayerVariable;
  readonly movingMean: tfl.LayerVariable;
  readonly movingVariance: tfl.LayerVariable;
}

/** In training, mean and variance are over the steps that count. */
const batchNormalization: Reader = ({ tf, layer, inputs: [x], masks: [mask], kwargs, plain, axis }) => {
  const { momentum, epsilon, gamma, beta, movingMean, movingVariance } = layer as unknown as Normalization;
  if (mask!.rank !== x!.rank - 1 || (axis !== -1 && axis !== x!.rank - 1))
    refuse(layer, 'takes a mask of other axes than all but its last one, which is the only one it can normalise then; leave the mask out or normalise the last axis'); // prettier-ignore
  if (kwargs['training'] !== true) return plain();
  const axes = [...mask!.shape.keys()];
  const counts = tf.expandDims(mask!, -1);
  const n = tf.add(tf.sum(mask!), EPSILON);
  const mean = tf.div(tf.sum(tf.mul(x!, counts), axes), n);
  const difference = tf.sub(x!, mean);
  const variance = tf.div(tf.sum(tf.mul(tf.square(difference), counts), axes), n);
  for (const [average, now] of [
    [movingMean, mean],
    [movingVariance, variance],
  ] as const)
    average.write(tf.add(tf.mul(average.read(), momentum), tf.mul(now, 1 - momentum)));
  let y: Tensor = tf.div(difference, tf.sqrt(tf.add(variance, epsilon)));
  if (gamma) y = tf.mul(y, gamma.read());
  return beta ? tf.add(y, beta.read()) : y;
};

/**
 * Each step's own mask goes to the inner layer, with time merged into the batch. The mask of whole steps only concerns normalisation by moving
 * averages, which does not use it.
 */
const timeDistributed: Reader = ({ tf, layer, inputs: [x], masks: [mask], kwargs, setMask }) => {
  const { layer: inner } = layer as unknown as { layer: Layer };
  const { training } = kwargs;
  const byAverages = inner.getClassName() === 'BatchNormalization' && x!.rank === 3 && training !== true;
  const ofSteps = mask!.rank < 3;
  if (ofSteps && !byAverages)
    refuse(layer, 'gives each step to a layer that reads masks, but its mask is of whole steps; put the mask inside or leave it out'); // prettier-ignore
  const [batch, time, ...sample] = x!.shape as [number, number, ...number[]];
  const rows = tf.reshape(x!, [batch * time, ...sample]);
  const own = ofSteps ? null : tf.reshape(mask!, [batch * time, ...mask!.shape.slice(2)]);
  if (own) setMask(rows, own);
  const y = [inner.call(rows, own && !('layers' in inner) ? { training, mask: own } : { training })].flat()[0]!;
  return tf.reshape(y, [batch, time, ...y.shape.slice(1)]);
};

const READERS: { readonly [C in ClassName]?: Reader } = {
  RNN: recurrent,
  SimpleRNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  ConvLSTM2D: recurrent,
  Attention: computed,
  AdditiveAttention: computed,
  MultiHeadAttention: computed,
  GroupedQueryAttention: computed,
  Bidirectional: bidirectional,
  TimeDistributed: timeDistributed,
  GlobalAveragePooling1D: averagePooling,
  BatchNormalization: batchNormalization,
  Softmax: ({ layer }) =>
    refuse(layer, 'gets a mask of steps, which Keras would lay over other axes; set the softmax as the activation of the layer before it'), // prettier-ignore
  Multiply: ({ tf, layer, inputs, masks }) => maskedProduct(tf, layer, inputs, masks),
  Maximum: ({ tf, layer, inputs, masks }) => maskedExtreme(tf, layer, inputs, masks, (a, b) => tf.maximum(a, b)),
  Minimum: ({ tf, layer, inputs, masks }) => maskedExtreme(tf, layer, inputs, masks, (a, b) => tf.minimum(a, b)),
};

/** Whether a mask changes the layer's result. */
export function readsMasks(layer: Layer): boolean {
  if (layer.getClassName() !== 'TimeDistributed') return own(READERS, layer.getClassName()) !== undefined;
  // Its own mask is given to the inner layer.
  return allLayers([(layer as unknown as { layer: Layer }).layer]).some(readsMasks);
}

/**
 * Gives a layer a `call` that applies `kwargs.mask`: a mask, or null, for each input in a list, or one for all.
 * @param zeroOutputs the layers whose output is 0 at masked steps.
 */
export function readMasks(
  tf: typeof Core,
  layer: Layer,
  zeroOutputs: ReadonlySet<Layer>,
  setMask: Reading['setMask'],
): void {
  const { axis } = layer as unknown as { axis?: number };
  const reader = own(READERS, layer.getClassName());
  const call = layer.call.bind(layer);
  if (layer.getClassName() === 'Masking') {
    layer.call = (inputs) => {
      const x = [inputs].flat()[0]!;
      const { maskValue } = layer as unknown as { maskValue: number };
      return tf.mul(x, tf.expandDims(rowPresence(tf, x, maskValue), -1));
    };
    return;
  }
  if (!reader) return;
  layer.call = (given, kwargs) => {
    const inputs = [given].flat();
    const masks = [kwargs['mask'] as Mask | Mask[] | undefined].flat().map((mask) => mask ?? null);
    if (masks.every((mask) => mask === null)) return call(given, kwargs);
    const zeroOutput = zeroOutputs.has(layer);
    return reader({ tf, layer, inputs, masks, kwargs, plain: () => call(given, kwargs), setMask, zeroOutput, axis });
  };
}
