/** A topology that is quick to build, for when the weights are set anyway. */
import { isObject } from '../layers/layerConfig.js';
import type { Topology } from '../model.js';

/** Without a named initialiser a recurrent layer computes one: an orthogonal matrix, and ones for the forget gates. */
const RECURRENT = { recurrent_initializer: {}, unit_forget_bias: false };

/** Where a file leaves them out, layers draw random kernels: 15 million numbers for a VGG, thrown away at once. */
const DRAWN: readonly (readonly [layers: RegExp, initialisers: object])[] = [
  [/^(Dense|SimpleRNN|GRU|LSTM|Conv\w+)(Cell)?$/, { kernel_initializer: {} }],
  [/^DepthwiseConv/, { depthwise_initializer: {} }],
  [/^SeparableConv/, { depthwise_initializer: {}, pointwise_initializer: {} }],
  [/^Embedding$/, { embeddings_initializer: {} }],
];

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(copy);
  if (!isObject(value)) return value;
  const className = typeof value.class_name === 'string' ? value.class_name : '';
  const recurrent = /^(SimpleRNN|GRU|(Conv)?LSTM(2D)?)(Cell)?$/.test(className);
  const drawn = DRAWN.find(([layers]) => layers.test(className));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (/_?initializer$/i.test(key) && inner !== null) return [key, { class_name: 'Zeros', config: {} }];
      if (key === 'seed') return [key, null];
      if (key !== 'config' || !isObject(inner)) return [key, copy(inner)];
      return [key, copy({ ...(drawn && drawn[1]), ...inner, ...(recurrent && RECURRENT) })];
    }),
  );
}

/**
 * A copy of the topology whose layers start at zero, also where it names no initializer. TensorFlow.js otherwise draws every
 * initial weight, and an LSTM of 256 units takes it minutes (an orthogonal matrix by a QR decomposition in JavaScript).
 * Without seeds, too: one makes every dropout mask the same. For building only; never saved.
 */
export const withZeroInitializers = (topology: Topology): Topology => copy(topology) as Topology;
