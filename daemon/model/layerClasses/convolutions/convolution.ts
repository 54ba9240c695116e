/** Conv1D, Conv2D and Conv3D. */
import { optional, FILTERS, layer, linear as linearArguments, SAME_OR_VALID, windows } from '../../keras3/arguments.js';
import { oneOf, positive } from '../../keras3/values.js';
import { channelsFirst, type Json } from '../../layers/layerConfig.js';
import type { LayerClass, Left } from '../layerClass.js';
import { channelsLast, completed, resizes } from '../rules/forward.js';
import { convolved, filters } from '../rules/shapes.js';
import { channelsIn, kernel, kernelSize, positionsOf, withBias } from '../rules/weights.js';
import { convolve, finished, groupsOf, overChannelsLast, windowOf } from './computed.js';
import { convolutionOf } from './forward.js';
import { convolutionSettings } from './settings.js';
import { slidingOf } from './windows.js';

/** Groups keep their number, and lose as many channels each; groups of one channel go with it. */
function resize(config: Json, left: Left): void {
  resizes('filters')(config, left);
  const channels = left.input.at(channelsFirst(config) ? 0 : -1)!.length;
  if (groupsOf(config) > channels) config['groups'] = channels;
}

const convolution = (n: number): LayerClass => {
  const shape = convolved(n, filters);
  return {
    settings: convolutionSettings(n === 1 ? { causal: true } : {}),
    shape,
    weights(config, input) {
      const read = channelsIn(config, input);
      const sizes = [...kernelSize(config, n), read === null ? null : read / groupsOf(config), filters(config)];
      const [output] = shape(config, [input], () => []);
      return [kernel('kernel', sizes, positionsOf(config, output)), ...withBias(config, filters(config))];
    },
    problem(config, input) {
      const groups = groupsOf(config);
      const read = channelsIn(config, input);
      const fits = groups === 1 || (read !== null && read % groups === 0 && (filters(config) ?? 0) % groups === 0);
      return fits ? null : `has ${groups} groups of ${read ?? '?'} channels and ${filters(config) ?? '?'} filters, which do not divide evenly`; // prettier-ignore
    },
    initial: { kernel_initializer: {} },
    forward: (op, config, [x], { kernel: weight, bias }) =>
      channelsLast(op, config, x!, (last) => {
        const y = convolutionOf(op, last, weight!, slidingOf(config, n), groupsOf(config));
        return y && completed(op, config, y, bias);
      }),
    resize,
    keras: layer({
      ...FILTERS,
      ...windows(n, n === 1 ? oneOf('valid', 'same', 'causal') : SAME_OR_VALID),
      groups: optional(positive),
      ...linearArguments('kernel'),
    }),
    computes: (config) => groupsOf(config) > 1,
    compute: (tf, config, [x], { kernel, bias }) =>
      overChannelsLast(tf, config, x!, (last) =>
        finished(tf, config, convolve(tf, last, kernel!, windowOf(config, n), groupsOf(config)), bias),
      ),
  };
};

export const CONVOLUTIONS = {
  Conv1D: {
    ...convolution(1),
    // TensorFlow.js returns its output with the axes swapped (layers/convolutional.js, conv1dWithBias).
    channelsFirst: { permutation: () => [[2, 1], [2, 1]], trainedWrongly: true },
  },
  Conv2D: convolution(2),
  Conv3D: { ...convolution(3), skipsFramesInTfjs: 'forwards' },
} satisfies Record<string, LayerClass>; // prettier-ignore
