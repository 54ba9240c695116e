/** What the attention layers of Keras 3 share: weights of positions from scores, masks, dropout (keras/src/layers/attention). */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';

type Tensor = Core.Tensor;
type Tf = typeof Core;

/** Arguments of a call that change what the layer computes. */
export const CALL_SETTINGS = ['use_causal_mask', 'return_attention_scores'];

export const givesScores = (config: Json): boolean => field(config, 'return_attention_scores') === true;
const isCausal = (config: Json): boolean => field(config, 'use_causal_mask') === true;

/** What stands for minus infinity. */
export const VERY_LOW = -1e9;

/**
 * 1 where a query position may read a key position, by the config alone: no later one, none farther than a window. By rows; null: all may be read.
 */
function readable(config: Json, queries: number, keys: number): Float32Array | null {
  const window = numberAt(config, 'sliding_window');
  const causal = isCausal(config);
  if (!causal && window === null) return null;
  const isReadable = (i: number, j: number): boolean =>
    (!causal || i >= j) && (window === null || Math.abs(i - j) < window);
  return Float32Array.from({ length: queries * keys }, (_, at) => Number(isReadable(Math.floor(at / keys), at % keys)));
}

/** As a tensor, [1, T, S]. */
export function positionMask(tf: Tf, config: Json, queries: number, keys: number): Tensor | null {
  const values = readable(config, queries, keys);
  return values && tf.tensor3d(values, [1, queries, keys]);
}

/** As a constant, [1, T, S]. */
export function positionConstant(op: Operations, config: Json, queries: number, keys: number): Node | null {
  const values = readable(config, queries, keys);
  return values && op.graph.constant(values, [1, queries, keys]);
}

/** A mask of positions beside others, which it is the same for. @param axis to insert. */
export const beside = (op: Operations, mask: Node, axis: number): Node =>
  op.reshape(mask, mask.shape.toSpliced(axis, 0, 1));

/** Takes much off the scores where the mask is 0. @param mask broadcasts to the scores. */
export const without = (op: Operations, scores: Node, mask: Node, much: number): Node =>
  op.add(scores, op.mul(op.sub(mask, 1), much));

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
