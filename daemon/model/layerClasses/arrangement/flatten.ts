import { DATA_FORMAT, layer } from '../../keras3/arguments.js';
import { channelsOf, sizeOf } from '../../layers/shape.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { unlessChannelsFirst, width } from '../rules/channels.js';
import { on } from '../rules/shapes.js';

const channels: ChannelRule = (call) => {
  const n = width(call);
  const size = channelsOf(call.outputs[0]!.shape)!;
  return {
    tied: (position) => [{ input: 0, channel: position % n }],
    constants: ([values]) => Float64Array.from({ length: size }, (_, position) => values![position % n]!),
    cuts: [],
  };
};

export const FLATTEN = {
  Flatten: {
    shape: on(null, (_config, input) => [sizeOf(input)]),
    channels: unlessChannelsFirst(channels),
    inOrder: true,
    onInput: 'moves',
    sparse: 'nothing',
    keras: layer(DATA_FORMAT),
  },
} satisfies Record<string, LayerClass>;
