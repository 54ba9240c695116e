/** Conv2DTranspose and Conv3DTranspose. */
import { FILTERS, layer, linear as linearArguments, optional, SAME_OR_VALID, windows } from '../../keras3/arguments.js';
import { sizes } from '../../keras3/values.js';
import { stringAt, tupleAt } from '../../layers/layerConfig.js';
import { positive, type Dim } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { linear, unlessChannelsFirst } from '../rules/channels.js';
import { filters, on, spatial } from '../rules/shapes.js';
import { channelsIn, kernel, kernelSize, positionsOf, withBias } from '../rules/weights.js';
import { convolutionSettings } from './settings.js';

function deconvolved(size: Dim, kernel: number, padding: string, stride: number): Dim {
  if (size === null) return null;
  return positive(padding === 'valid' ? size * stride + Math.max(kernel - stride, 0) : size * stride);
}

const transposed = (n: number): LayerClass => ({
  settings: convolutionSettings({ dilated: false, outputPadding: false }),
  shape: on(n + 1, (config, input) => {
    const kernel = tupleAt(config, 'kernel_size', n, 1);
    const strides = tupleAt(config, 'strides', n, 1);
    if (!kernel || !strides) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(
      config,
      input,
      (size, axis) => deconvolved(size, kernel[axis]!, padding, strides[axis]!),
      () => filters(config),
    );
  }),
  // Each input position spreads the whole kernel over the output.
  weights(config, input) {
    const shape = [...kernelSize(config, n), filters(config), channelsIn(config, input)];
    const uses = positionsOf(config, input);
    return [{ ...kernel('kernel', shape, uses), unitAxes: [n, n + 1] }, ...withBias(config, filters(config))];
  },
  initial: { kernel_initializer: {} },
  // Fewer taps contribute to the borders of its output.
  channels: unlessChannelsFirst(linear({ input: -1, output: -2 }, 'filters', () => true)),
  keras: layer({
    ...FILTERS,
    ...windows(n, SAME_OR_VALID),
    output_padding: optional(sizes(n)),
    ...linearArguments('kernel'),
  }),
});

export const TRANSPOSED = {
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: { ...transposed(3), skipsFramesInTfjs: 'backwards' },
} satisfies Record<string, LayerClass>;
