/**
 * Attention and AdditiveAttention (keras.io/api/layers/attention_layers; Luong et al. 2015, Bahdanau et al. 2015): each query position gets a mean of
 * the values, weighted by its scores with the keys.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { layer, optional, or, SEED, type Arguments } from '../../keras3/arguments.js';
import { flag, oneOf, share } from '../../keras3/values.js';
import { field, stringAt, type Json } from '../../layers/layerConfig.js';
import { softmax } from '../activations/functions.js';
import type { LayerClass, WeightRule } from '../layerClass.js';
import { vector } from '../rules/weights.js';
import { beside, CALL_SETTINGS, dropped, givesScores, positionConstant, positionMask, without } from './scores.js'; // prettier-ignore

type Tensor = Core.Tensor;
type Tf = typeof Core;

/** [batch, T, S] of each query with each key. */
interface Scores {
  readonly tensors: (tf: Tf, config: Json, query: Tensor, key: Tensor, weights: Readonly<Record<string, Tensor>>) => Tensor;
  readonly nodes: (op: Operations, config: Json, query: Node, key: Node, weights: Readonly<Record<string, Node>>) => Node;
} // prettier-ignore

/** Of each query and key, tanh of their sum: [batch, T, S, channels]. @param scale of the sum. */
const sums = (tf: Tf, query: Tensor, key: Tensor, scale?: Tensor): Tensor => {
  const sum = tf.add(tf.expandDims(query, 2), tf.expandDims(key, 1));
  return tf.tanh(scale ? tf.mul(scale, sum) : sum);
};

/** The same as operations. */
const sumNodes = (op: Operations, query: Node, key: Node, scale?: Node): Node => {
  const sum = op.add(beside(op, query, 2), beside(op, key, 1));
  return op.unary('Tanh', scale ? op.mul(sum, scale) : sum);
};

const isConcat = (config: Json): boolean => stringAt(config, 'score_mode') === 'concat';

const dotOrConcat: Scores = {
  tensors(tf, config, query, key, { scale, concat_score_weight: weight }) {
    if (isConcat(config)) return tf.mul(weight!, tf.sum(sums(tf, query, key, scale), -1));
    const scores = tf.matMul(query, key, false, true);
    return scale ? tf.mul(scores, scale) : scores;
  },
  nodes(op, config, query, key, { scale, concat_score_weight: weight }) {
    if (isConcat(config)) return op.mul(op.reduce('Sum', sumNodes(op, query, key, scale), [3]), weight!);
    const scores = op.matMul(query, key, false, true);
    return scale ? op.mul(scores, scale) : scores;
  },
};

const additive: Scores = {
  tensors(tf, _config, query, key, { scale }) {
    const each = sums(tf, query, key);
    return tf.sum(scale ? tf.mul(scale, each) : each, -1);
  },
  nodes(op, _config, query, key, { scale }) {
    const each = sumNodes(op, query, key);
    return op.reduce('Sum', scale ? op.mul(each, scale) : each, [3]);
  },
};

/** Positions of a value that its mask leaves out get so much less. */
const PADDING = 1e9;

const attention = (scores: Scores, weights: WeightRule, keras: Arguments): LayerClass => ({
  callSettings: CALL_SETTINGS,
  shape(config, [query, value, key]) {
    const read = key ?? value;
    if (query?.length !== 2 || value?.length !== 2) return givesScores(config) ? [null, null] : [null];
    const output = [query[0]!, value[1]!];
    return givesScores(config) ? [output, [query[0]!, read![0]!]] : [output];
  },
  weights,
  problem(_config, _input, inputs) {
    if (inputs.length < 2 || inputs.length > 3) return 'needs a query, a value and perhaps a key, in a list';
    const [query, value, key = value] = inputs;
    if (inputs.some((shape) => shape && shape.length !== 2)) return 'needs sequences of vectors';
    const fits = !query || !key || query[1] === key[1];
    return fits ? null : `compares queries of ${query[1] ?? '?'} channels with keys of ${key[1] ?? '?'}`;
  },
  mask: 'pass',
  keras,
  forward(op, config, [query, value, key = value!], weights, { masks: [queryMask, valueMask] }) {
    const raw = scores.nodes(op, config, query!, key, weights);
    const positions = positionConstant(op, config, query!.shape[1]!, key.shape[1]!);
    const readable = valueMask ? beside(op, valueMask, 1) : null;
    const mask = positions && readable ? op.mul(positions, readable) : (positions ?? readable);
    const kept = softmax(op, mask ? without(op, raw, mask, PADDING) : raw);
    const read = op.matMul(kept, value!);
    const output = queryMask ? op.mul(read, beside(op, queryMask, 2)) : read;
    return givesScores(config) ? [output, kept] : output;
  },
  compute(tf, config, [query, value, key = value!], weights, { training, masks }) {
    const [queryMask, valueMask] = masks;
    const raw = scores.tensors(tf, config, query!, key, weights);
    const positions = positionMask(tf, config, query!.shape[1]!, key.shape[1]!);
    const readable = valueMask ? tf.expandDims(valueMask, 1) : null;
    const mask = positions && readable ? tf.mul(positions, readable) : (positions ?? readable);
    const weighted = tf.softmax(mask ? tf.sub(raw, tf.mul(tf.sub(1, mask), PADDING)) : raw);
    const kept = dropped(tf, config, weighted, training);
    const read = tf.matMul(kept, value!);
    const output = queryMask ? tf.mul(read, tf.expandDims(queryMask, -1)) : read;
    return givesScores(config) ? [output, kept] : output;
  },
});

export const ATTENTION = {
  Attention: attention(
    dotOrConcat,
    (config) => [
      ...(field(config, 'use_scale') === true ? [vector('scale')] : []),
      ...(stringAt(config, 'score_mode') === 'concat' ? [vector('concat_score_weight')] : []),
    ],
    layer({
      use_scale: optional(flag),
      score_mode: optional(oneOf('dot', 'concat')),
      dropout: or(share, 0),
      ...SEED,
    }),
  ),
  AdditiveAttention: attention(
    additive,
    (config, input) => (field(config, 'use_scale') === false ? [] : [vector('scale', input?.at(-1) ?? null)]),
    layer({ use_scale: optional(flag), dropout: or(share, 0), ...SEED }),
  ),
} satisfies Record<string, LayerClass>;
