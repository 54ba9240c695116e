/** What the attention layers of Keras 3 share: weights of positions from scores, masks, dropout (keras/src/layers/attention). */
import type * as Core from '@tensorflow/tfjs-core';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';

type Tensor = Core.Tensor;
type Tf = typeof Core;

/** Arguments of a call that change what the layer computes. */
export const CALL_SETTINGS = ['use_causal_mask', 'return_attention_scores'];

export const givesScores = (config: Json): boolean => field(config, 'return_attention_scores') === true;
const isCausal = (config: Json): boolean => field(config, 'use_causal_mask') === true;

/** What stands for minus infinity. */
const VERY_LOW = -1e9;

/**
 * 1 where a query position may read a key position, by the config alone: no later one, none farther than a window. [1, T, S]; null: all may be read.
 */
export function positionMask(tf: Tf, config: Json, queries: number, keys: number): Tensor | null {
  const window = numberAt(config, 'sliding_window');
  const causal = isCausal(config);
  if (!causal && window === null) return null;
  const readable = (i: number, j: number): boolean =>
    (!causal || i >= j) && (window === null || Math.abs(i - j) < window);
  const rows = Array.from({ length: queries }, (_, i) =>
    Array.from({ length: keys }, (__, j) => (readable(i, j) ? 1 : 0)),
  );
  return tf.tensor3d([rows]);
}

/** Both must allow a position. */
export const both = (tf: Tf, a: Tensor | null, b: Tensor | null): Tensor | null => (a && b ? tf.mul(a, b) : (a ?? b));

/** Leaves scores where the mask is 1. @param mask broadcasts to the scores. */
export const masked = (tf: Tf, scores: Tensor, mask: Tensor | null): Tensor =>
  mask ? tf.add(tf.mul(scores, mask), tf.mul(tf.sub(1, mask), VERY_LOW)) : scores;

/** The weights of positions that a layer reads with, from its own `dropout`. */
export function dropped(tf: Tf, config: Json, weights: Tensor, training: boolean): Tensor {
  const rate = numberAt(config, 'dropout') ?? 0;
  return training && rate > 0 ? tf.dropout(weights, rate) : weights;
}
