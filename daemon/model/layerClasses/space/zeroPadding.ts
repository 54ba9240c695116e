import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { borders } from '../../keras3/values.js';
import { channelsFirst, field } from '../../layers/layerConfig.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { elementwise, width } from '../rules/channels.js';
import { bordered } from './borders.js';

/**
 * Said to be channels-first it pads axes 2 and 3, which in a channels-last tensor are the width and the channels: the zero
 * channels of a parameter-free shortcut (He et al. 2016, option A), which may go like any other.
 */
const channels: ChannelRule = (call) => {
  const { config } = call.node.layer;
  // Of a border of zeros only a constant 0 stays constant.
  if (!channelsFirst(config)) return elementwise((x) => (x === 0 ? 0 : NaN));
  const padding = field(config, 'padding') as unknown[];
  const [across, along] = Array.isArray(padding) ? (padding as unknown[][]) : [];
  if (!Array.isArray(across) || !Array.isArray(along) || across.some((n) => n !== 0)) return null;
  const before = along[0] as number;
  const n = width(call);
  const inside = (channel: number): boolean => channel >= before && channel < before + n;
  return {
    tied: (channel) => (inside(channel) ? [{ input: 0, channel: channel - before }] : []),
    constants: ([values]) =>
      Float64Array.from({ length: before + n + (along[1] as number) }, (_, channel) =>
        inside(channel) ? values![channel - before]! : 0,
      ),
    cuts: [],
    resize(config, { output }) {
      const [first, last] = [output.filter((c) => c < before), output.filter((c) => c >= before + n)];
      config['padding'] = [across, [first.length, last.length]];
    },
  };
};

export const ZERO_PADDING = {
  ZeroPadding2D: {
    shape: bordered('padding', 1, 1),
    channels,
    onInput: 'moves',
    keras: layer({ padding: optional(borders(2)), ...DATA_FORMAT }),
  },
} satisfies Record<string, LayerClass>;
