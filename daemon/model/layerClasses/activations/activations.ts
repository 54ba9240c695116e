/** Activation, ELU, Softmax, Rescaling: functions of values without weights, and their settings. */
import { layer, optional, or, required } from '../../keras3/arguments.js';
import { activation, axis, number, numbers } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import { scalarFunction } from '../../normalise/scalarFunctions.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { activated, elementwise } from '../rules/channels.js';
import { same } from '../rules/shapes.js';

/** Scale and offset of a Rescaling: one number for all channels, or one for each. */
const rescalings = (config: Json): readonly (readonly number[])[] =>
  [field(config, 'scale'), field(config, 'offset') ?? 0].map((given) => [given].flat() as number[]);

const rescaled: ChannelRule = (call) => {
  const { config } = call.node.layer;
  const [scale, offset] = rescalings(config) as [readonly number[], readonly number[]];
  const of = (list: readonly number[], channel: number): number => list[list.length === 1 ? 0 : channel]!;
  return {
    ...elementwise((x, channel) => x * of(scale, channel) + of(offset, channel)),
    resize(layer, { output }) {
      for (const [key, list] of Object.entries({ scale, offset }))
        if (list.length > 1) layer[key] = output.map((channel) => list[channel]!);
    },
  };
};

export const ACTIVATIONS = {
  Activation: {
    shape: same,
    channels: activated((config) => scalarFunction(field(config, 'activation'))),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    sparse: 'activation',
    keras: layer({ activation: or(activation, 'linear') }),
  },
  ELU: {
    shape: same,
    channels: activated((config) => {
      const alpha = numberAt(config, 'alpha') ?? 1;
      return (x) => (x >= 0 ? x : alpha * Math.expm1(x));
    }),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ alpha: optional(number) }),
    computes: (config) => (numberAt(config, 'alpha') ?? 1) !== 1,
    compute: (tf, config, [x]) =>
      tf.add(tf.relu(x!), tf.mul(tf.elu(tf.neg(tf.relu(tf.neg(x!)))), numberAt(config, 'alpha')!)),
  },
  // It reads all channels.
  Softmax: {
    shape: same,
    mask: 'pass',
    maskInTfjs: 'reads',
    asActivation: true,
    lastAxisInTfjs: true,
    sparse: 'activation',
    keras: layer({ axis: optional(axis) }),
  },
  Rescaling: {
    settings(config, refuse) {
      if ([field(config, 'scale'), field(config, 'offset') ?? 0].some((given) => numbers(given) === undefined))
        refuse('has a scale or an offset that is neither a number nor one for each channel; scale the data instead');
    },
    problem(config, input) {
      const wrong = rescalings(config).find((list) => list.length !== 1 && list.length !== input.at(-1));
      return wrong ? `rescales ${wrong.length} channels of an input of ${input.at(-1) ?? '?'}` : null;
    },
    shape: same,
    channels: rescaled,
    inOrder: true,
    onInput: 'scales',
    mask: 'pass',
    keras: layer({ scale: required(numbers), offset: optional(numbers) }),
    computes: (config) => rescalings(config).some((list) => list.length > 1),
    compute(tf, config, [x]) {
      const [scale, offset] = rescalings(config).map((list) => tf.tensor1d([...list]));
      return tf.add(tf.mul(x!, scale!), offset!);
    },
  },
} satisfies Record<string, LayerClass>;
