/** ZeroPadding1D, ZeroPadding2D and ZeroPadding3D. */
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { borders } from '../../keras3/values.js';
import { channelsFirst, field } from '../../layers/layerConfig.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { elementwise, unlessChannelsFirst, width } from '../rules/channels.js';
import { bordered, borderProblem, bordersOf, ofAllAxes } from './borders.js';

/** Next to a border of zeros only a constant 0 stays constant. */
const zerosAround: ChannelRule = () => elementwise((x) => (x === 0 ? 0 : NaN));

/**
 * For images. With channels first it pads axes 2 and 3, which in a channels-last tensor are the width and the channels: the zero channels of a
 * parameter-free shortcut (He et al. 2016, option A), which can be removed like any other.
 */
const channels: ChannelRule = (call, weights) => {
  const { config } = call.node.layer;
  if (!channelsFirst(config)) return zerosAround(call, weights);
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

const zeroPadding = (n: number): LayerClass => ({
  shape: bordered(n, 'padding', 1, 1),
  channels: n === 2 ? channels : unlessChannelsFirst(zerosAround),
  onInput: 'moves',
  keras: layer({ padding: optional(borders(n)), ...(n === 1 ? {} : DATA_FORMAT) }),
});

/** The classes that TensorFlow.js lacks. */
const computed = (n: number): LayerClass => {
  const own = zeroPadding(n);
  return {
    ...own,
    problem: borderProblem(own.shape!),
    compute: (tf, config, [x]) =>
      tf.pad(x!, ofAllAxes(config, bordersOf(config, 'padding', n, 1)!) as [number, number][]),
  };
};

export const ZERO_PADDING = {
  ZeroPadding1D: computed(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: computed(3),
} satisfies Record<string, LayerClass>;
