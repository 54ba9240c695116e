/** Conv1D, Conv2D and Conv3D. */
import { optional, FILTERS, layer, linear as linearArguments, SAME_OR_VALID, windows } from '../../keras3/arguments.js';
import { oneOf, positive } from '../../keras3/values.js';
import type { LayerClass } from '../layerClass.js';
import { linear, unlessChannelsFirst, zeroPads } from '../rules/channels.js';
import { convolved, filters } from '../rules/shapes.js';
import { channelsIn, kernel, kernelSize, positionsOf, withBias } from '../rules/weights.js';
import { convolutionSettings } from './settings.js';

const convolution = (n: number): LayerClass => {
  const shape = convolved(n, filters);
  return {
    settings: convolutionSettings(n === 1 ? { causal: true } : {}),
    shape,
    weights(config, input) {
      const sizes = [...kernelSize(config, n), channelsIn(config, input), filters(config)];
      const [output] = shape(config, [input], () => []);
      return [kernel('kernel', sizes, positionsOf(config, output)), ...withBias(config, filters(config))];
    },
    initial: { kernel_initializer: {} },
    channels: unlessChannelsFirst(linear({ input: -2, output: -1 }, 'filters', zeroPads)),
    keras: layer({
      ...FILTERS,
      ...windows(n, n === 1 ? oneOf('valid', 'same', 'causal') : SAME_OR_VALID),
      groups: optional(positive),
      ...linearArguments('kernel'),
    }),
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
