/**
 * MultiHeadAttention (Vaswani et al. 2017) and GroupedQueryAttention (Ainslie et al. 2023) of Keras 3 (keras.io/api/layers/attention_layers): queries,
 * keys and values are projected for each head, each head attends by itself, and one product joins the heads. A unit is a
 * head: its channels stay, because their number is in the scale of the scores.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { BIAS, layer, optional, or, required, SEED, weights, type Arguments } from '../../keras3/arguments.js';
import { axis, flag, integers, positive, share } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import type { Dim, Shape } from '../../layers/shape.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { LayerClass, WeightPart } from '../layerClass.js';
import { softmax } from '../activations/functions.js';
import { setNumber } from '../rules/forward.js';
import { kernel, positions, usesBias, vector } from '../rules/weights.js';
import { beside, both, CALL_SETTINGS, dropped, givesScores, masked, positionConstant, positionMask, VERY_LOW, without } from './scores.js'; // prettier-ignore

type Tensor = Core.Tensor;
type Tf = typeof Core;

/** Heads and their channels. */
interface Heads {
  readonly queries: Dim;
  /** Of keys and values: each is shared by queries / keys heads. */
  readonly keys: Dim;
  readonly keyChannels: Dim;
  readonly valueChannels: Dim;
}
type HeadsOf = (config: Json) => Heads;
type SetHeads = (config: Json, heads: { readonly [size in keyof Heads]: number }) => void;

const headsOf: HeadsOf = (config) => {
  const [heads, channels] = [numberAt(config, 'num_heads'), numberAt(config, 'key_dim')];
  return { queries: heads, keys: heads, keyChannels: channels, valueChannels: numberAt(config, 'value_dim') ?? channels }; // prettier-ignore
};
const groupedHeadsOf: HeadsOf = (config) => {
  const channels = numberAt(config, 'head_dim');
  return {
    queries: numberAt(config, 'num_query_heads'),
    keys: numberAt(config, 'num_key_value_heads'),
    keyChannels: channels,
    valueChannels: channels,
  };
};

const isGated = (config: Json): boolean => field(config, 'use_gate') === true;
/** The sizes of an output position, if they are not those of the query. */
function outputOf(config: Json): number[] | null {
  const given = field(config, 'output_shape');
  return given == null || (Array.isArray(given) && given.length === 0) ? null : ([given].flat() as number[]);
}

/** Axes of a sample over which positions attend, and the others, which are like a batch. Counted with the batch. */
function axesOf(config: Json, rank: number): { readonly attended: number[]; readonly apart: number[] } {
  const all = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const given = field(config, 'attention_axes');
  const named = given == null ? [] : ([given].flat() as number[]).map((a) => (a < 0 ? a + rank : a));
  const attended = named.length > 0 ? all.filter((a) => named.includes(a)) : all;
  return { attended, apart: all.filter((a) => !attended.includes(a)) };
}

/** In the order in which Keras makes them. */
function parts(config: Json, heads: Heads, inputs: readonly (Shape | null)[]): WeightPart[] {
  const [query, value, key = value] = inputs.length > 1 ? inputs : [inputs[0], inputs[0]];
  const bias = usesBias(config);
  const projection = (name: string, from: Shape | null | undefined, count: Dim, channels: Dim): WeightPart[] => [
    { ...kernel(`${name}/kernel`, [from?.at(-1) ?? null, count, channels], positions(from?.slice(0, -1) ?? [])), unitAxes: [1, 3] },
    ...(bias ? [vector(`${name}/bias`, count, channels)] : []),
  ]; // prettier-ignore
  const output = outputOf(config) ?? [query?.at(-1) ?? null];
  return [
    ...projection('query', query, heads.queries, heads.keyChannels),
    ...projection('key', key, heads.keys, heads.keyChannels),
    ...(isGated(config) ? projection('gate', query, heads.queries, heads.valueChannels) : []),
    ...projection('value', value, heads.keys, heads.valueChannels),
    {
      ...kernel('attention_output/kernel', [heads.queries, heads.valueChannels, ...output], positions(query?.slice(0, -1) ?? [])),
      unitAxes: [2, 2 + output.length],
    },
    ...(bias ? [vector('attention_output/bias', ...output)] : []),
  ]; // prettier-ignore
}

/** x [..., channels] times a kernel [channels, heads, size], plus its bias: [..., heads, size]. */
function projected(tf: Tf, x: Tensor, name: string, own: Readonly<Record<string, Tensor>>): Tensor {
  const [weight, bias] = [own[`${name}/kernel`]!, own[`${name}/bias`]];
  const [channels, ...rest] = weight.shape as [number, ...number[]];
  const y = tf.matMul(tf.reshape(x, [-1, channels]), tf.reshape(weight, [channels, sizeOf(rest)]));
  const flat = bias ? tf.add(y, tf.reshape(bias, [sizeOf(rest)])) : y;
  return tf.reshape(flat, [...x.shape.slice(0, -1), ...rest]);
}

/** [batch, positions, heads, size] with the heads in front of the positions, each repeated. */
function byHead(tf: Tf, x: Tensor, times: number): Tensor {
  const moved = tf.transpose(x, [0, 2, 1, 3]);
  if (times === 1) return moved;
  const [batch, heads, length, size] = moved.shape as [number, number, number, number];
  const repeated = tf.tile(tf.reshape(moved, [batch * heads, 1, length * size]), [1, times, 1]);
  return tf.reshape(repeated, [batch, heads * times, length, size]);
}

/** The same as operations, with the heads in front of the positions, each repeated: [batch, heads, positions, size]. */
function headNodes(op: Operations, x: Node, name: string, own: Readonly<Record<string, Node>>, times: number): Node {
  const [weight, bias] = [own[`${name}/kernel`]!, own[`${name}/bias`]];
  const [channels, heads, size] = weight.shape as [number, number, number];
  const [batch, positions] = x.shape as [number, number];
  const y = op.matMul(x, op.reshape(weight, [channels, heads * size]));
  const flat = bias ? op.add(y, op.reshape(bias, [heads * size])) : y;
  const moved = op.transpose(op.reshape(flat, [batch, positions, heads, size]), [0, 2, 1, 3]);
  if (times === 1) return moved;
  const apart = op.reshape(moved, [batch, heads, 1, positions, size]);
  return op.reshape(op.spread(apart, [batch, heads, times, positions, size]), [batch, heads * times, positions, size]);
}

const attention = (of: HeadsOf, set: SetHeads, group: (name: string) => string, own: Arguments): LayerClass => ({
  calledWith: ['query', 'value', 'key'],
  callSettings: CALL_SETTINGS,
  shape(config, [query, value, key]) {
    const keys = key ?? value;
    if (!query || query.length < 2) return givesScores(config) ? [null, null] : [null];
    const output = [...query.slice(0, -1), ...(outputOf(config) ?? [query.at(-1)!])];
    if (!givesScores(config)) return [output];
    return [output, query.length === 2 && keys ? [of(config).queries, query[0]!, keys[0]!] : null];
  },
  weights: (config, input, _of, inputs) => parts(config, of(config), inputs ?? [input]),
  problem(config, query, inputs) {
    if (inputs.length < 2 || inputs.length > 3) return 'needs a query, a value and perhaps a key';
    if (query.length < 2) return 'needs sequences of vectors';
    if (inputs.some((shape) => shape && (shape.length !== query.length || shape.at(-1) === null)))
      return 'needs queries, values and keys of one rank, with a fixed number of channels';
    const { queries, keys } = of(config);
    if (queries === null || keys === null || queries % keys !== 0) return 'has heads that do not divide evenly';
    return axesOf(config, query.length + 1).attended.length > 0 ? null : 'attends over no axis of its input';
  },
  mask: 'pass',
  groups: ({ config }) => [
    group('query_dense'),
    group('key_dense'),
    ...(isGated(config) ? ['_gate_dense'] : []),
    group('value_dense'),
    group('output_dense'),
  ],
  forward(op, config, [query, value, key = value!], own, { masks }) {
    const heads = of(config);
    // The channels of a single head could be taken for heads.
    if (query!.shape.length !== 3 || heads.queries === null || heads.keys === null || heads.keys < 2) return null;
    const times = heads.queries / heads.keys;
    const asked = op.mul(headNodes(op, query!, 'query', own, 1), 1 / Math.sqrt(heads.keyChannels!));
    const keys = headNodes(op, key, 'key', own, times);
    const values = headNodes(op, value!, 'value', own, times);
    const given = [positionConstant(op, config, query!.shape[1]!, key.shape[1]!), ...[2, 1, 1].map((at, i) => masks[i] && beside(op, masks[i], at))]; // prettier-ignore
    const allowed = given.filter((mask) => mask != null);
    const mask = allowed.length > 0 ? beside(op, allowed.reduce((a, b) => op.mul(a, b)), 1) : null;
    const raw = op.matMul(asked, keys, false, true);
    const weighted = softmax(op, mask ? without(op, op.mul(raw, mask), mask, -VERY_LOW) : raw);
    const scores = mask && (numberAt(config, 'dropout') ?? 0) > 0 ? op.mul(weighted, mask) : weighted;
    const read = op.matMul(scores, values);
    const gated = isGated(config) ? op.mul(read, op.unary('Sigmoid', headNodes(op, query!, 'gate', own, 1))) : read;
    const [batch, , positions] = gated.shape as [number, number, number];
    const joint = op.reshape(op.transpose(gated, [0, 2, 1, 3]), [batch, positions, heads.queries * heads.valueChannels!]);
    const { 'attention_output/kernel': weight, 'attention_output/bias': bias } = own;
    const out = weight!.shape.slice(2);
    const y = op.matMul(joint, op.reshape(weight!, [joint.shape[2]!, sizeOf(out)]));
    const output = op.reshape(bias ? op.add(y, op.reshape(bias, [sizeOf(out)])) : y, [batch, positions, ...out]);
    return givesScores(config) ? [output, scores] : output;
  },
  resize(config, { output, weights: left }) {
    const [, queries, keyChannels] = left['query/kernel']!;
    const [, keys, valueChannels] = left['value/kernel']!;
    set(config, { queries: queries!, keys: keys!, keyChannels: keyChannels!, valueChannels: valueChannels! });
    const given = outputOf(config);
    if (given) config['output_shape'] = output.slice(output.length - given.length).map(({ length }) => length);
  },
  keras: layer({ ...own, dropout: or(share, 0), ...BIAS, use_gate: optional(flag), sliding_window: optional(positive), ...weights('kernel', 'bias'), ...SEED }),
  compute(tf, config, [query, value, key = value!], own, { training, masks }) {
    const heads = of(config);
    const { attended, apart } = axesOf(config, query!.rank);
    if (masks.some(Boolean) && query!.rank !== 3) throw new Error('attention over several axes takes no mask of steps');
    const order = [0, ...apart, ...attended, query!.rank - 1];
    /** One axis of all positions that attend; what is apart is beside the batch. */
    const rows = (x: Tensor): Tensor => {
      const moved = x.rank === 3 ? x : tf.transpose(x, order);
      const positions = sizeOf(attended.map((a) => x.shape[a]!));
      return x.rank === 3 ? x : tf.reshape(moved, [-1, positions, x.shape.at(-1)!]);
    };
    const [q, v, k] = [query!, value!, key].map(rows) as [Tensor, Tensor, Tensor];
    const times = heads.queries! / heads.keys!;
    const asked = tf.mul(byHead(tf, projected(tf, q, 'query', own), 1), 1 / Math.sqrt(heads.keyChannels!));
    const keys = byHead(tf, projected(tf, k, 'key', own), times);
    const values = byHead(tf, projected(tf, v, 'value', own), times);
    const [queryMask, valueMask, keyMask] = masks;
    let allowed = positionMask(tf, config, q.shape[1]!, k.shape[1]!);
    for (const [mask, at] of [[queryMask, 2], [valueMask, 1], [keyMask, 1]] as const) // prettier-ignore
      if (mask) allowed = both(tf, allowed, tf.expandDims(mask, at));
    const mask = allowed && tf.expandDims(allowed, 1);
    const weighted = tf.softmax(masked(tf, tf.matMul(asked, keys, false, true), mask));
    // With dropout Keras takes another way, on which a query that may read nothing reads 0.
    const scores = mask && (numberAt(config, 'dropout') ?? 0) > 0 ? tf.mul(weighted, mask) : weighted;
    const read = tf.transpose(tf.matMul(dropped(tf, config, scores, training), values), [0, 2, 1, 3]);
    const gated = isGated(config) ? tf.mul(read, tf.sigmoid(projected(tf, q, 'gate', own))) : read;
    const joint = tf.reshape(gated, [...gated.shape.slice(0, 2), heads.queries! * heads.valueChannels!]);
    const weight = own['attention_output/kernel']!;
    const across = { 'out/kernel': tf.reshape(weight, [joint.shape[2]!, ...weight.shape.slice(2)]), ...(own['attention_output/bias'] && { 'out/bias': own['attention_output/bias'] }) }; // prettier-ignore
    const y = projected(tf, joint, 'out', across);
    if (query!.rank === 3) return givesScores(config) ? [y, scores] : y;
    const sizes = [...apart, ...attended].map((a) => query!.shape[a]!);
    const apartFirst = tf.reshape(y, [query!.shape[0]!, ...sizes, ...y.shape.slice(2)]);
    const behind = y.shape.slice(2).map((_, i) => query!.rank - 1 + i);
    const back = [0, ...sizes.map((_, i) => order.indexOf(i + 1)), ...behind];
    return tf.transpose(apartFirst, back);
  },
}); // prettier-ignore

const plain = (name: string): string => name;

const setHeads: SetHeads = (config, { queries, keyChannels, valueChannels }) => {
  setNumber(config, 'num_heads', queries);
  setNumber(config, 'key_dim', keyChannels);
  if (numberAt(config, 'value_dim') !== null) setNumber(config, 'value_dim', valueChannels);
};
const setGroupedHeads: SetHeads = (config, { queries, keys, keyChannels }) => {
  setNumber(config, 'num_query_heads', queries);
  setNumber(config, 'num_key_value_heads', keys);
  setNumber(config, 'head_dim', keyChannels);
};

export const MULTI_HEAD = {
  MultiHeadAttention: attention(headsOf, setHeads, plain, {
    num_heads: required(positive),
    key_dim: required(positive),
    value_dim: optional(positive),
    output_shape: optional((value) => positive(value) ?? integers(value)),
    attention_axes: optional(axis),
  }),
  // Its parts have no public names, and Keras writes the private ones.
  GroupedQueryAttention: attention(groupedHeadsOf, setGroupedHeads, (name) => `_${name}`, {
    head_dim: required(positive),
    num_query_heads: required(positive),
    num_key_value_heads: required(positive),
  }),
} satisfies Record<string, LayerClass>;
