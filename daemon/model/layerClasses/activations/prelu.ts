import { layer, optional, weights } from '../../keras3/arguments.js';
import { axis } from '../../keras3/values.js';
import { field } from '../../layers/layerConfig.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { elementwise, weightOf, width } from '../rules/channels.js';
import { same } from '../rules/shapes.js';
import { vector } from '../rules/weights.js';

const channels: ChannelRule = (call, tensors) => {
  const alpha = weightOf(call, tensors, 'alpha');
  if (!alpha || alpha.shape.at(-1) !== width(call)) return null;
  const perChannel = alpha.shape.slice(0, -1).every((dim) => dim === 1);
  const f = (x: number, c: number): number => (x >= 0 ? x : perChannel ? alpha.data[c]! * x : NaN);
  return elementwise(f, [{ weight: alpha, axis: alpha.shape.length - 1, side: 'output' }]);
};

export const PRELU = {
  PReLU: {
    shape: same,
    weights(config, input) {
      const shared = field(config, 'shared_axes');
      const axes = new Set(Array.isArray(shared) ? (shared as unknown[]) : typeof shared === 'number' ? [shared] : []);
      return [vector('alpha', ...(input ?? [null]).map((dim, i) => (axes.has(i + 1) ? 1 : dim)))];
    },
    channels,
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ shared_axes: optional(axis), ...weights('alpha') }),
  },
} satisfies Record<string, LayerClass>;
