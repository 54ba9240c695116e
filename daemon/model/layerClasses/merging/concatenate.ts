import { layer, optional } from '../../keras3/arguments.js';
import { integer } from '../../keras3/values.js';
import { numberAt } from '../../layers/layerConfig.js';
import { axisWithoutBatch, channelsOf, type Dim, type Shape } from '../../layers/shape.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { merged } from '../rules/channels.js';

const allEqual = (values: readonly number[]): number => (values.every((x) => x === values[0]) ? values[0]! : NaN);

const channels: ChannelRule = (call, weights) => {
  const rank = call.inputs[0]!.shape!.length;
  const axis = axisWithoutBatch(numberAt(call.node.layer.config, 'axis') ?? -1, rank);
  if (axis === null) return null;
  if (axis !== rank - 1) return merged(allEqual)(call, weights);
  const places = call.inputs.flatMap(({ shape }, input) =>
    Array.from({ length: channelsOf(shape)! }, (_, channel) => ({ input, channel })),
  );
  return {
    tied: (channel) => [places[channel]!],
    constants: (inputs) => Float64Array.from(places, ({ input, channel }) => inputs[input]![channel]!),
    cuts: [],
  };
};

export const CONCATENATE = {
  Concatenate: {
    shape(config, inputs) {
      const first = inputs[0];
      if (!first || inputs.some((shape) => shape === null || shape.length !== first.length)) return [null];
      const axis = axisWithoutBatch(numberAt(config, 'axis') ?? -1, first.length);
      if (axis === null) return [null];
      const total = (inputs as Shape[]).reduce<Dim>(
        (sum, shape) => (sum === null || shape[axis] === null ? null : sum + shape[axis]!),
        0,
      );
      return [first.map((dim, i) => (i === axis ? total : dim))];
    },
    channels,
    keras: layer({ axis: optional(integer) }),
  },
} satisfies Record<string, LayerClass>;
