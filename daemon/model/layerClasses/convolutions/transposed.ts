/** Conv1DTranspose, Conv2DTranspose and Conv3DTranspose. */
import { FILTERS, layer, linear as linearArguments, optional, SAME_OR_VALID, windows } from '../../keras3/arguments.js';
import { naturals } from '../../keras3/values.js';
import { field, tupleAt, type Json } from '../../layers/layerConfig.js';
import { positive } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { channelsLast, completed, resizes } from '../rules/forward.js';
import { filters, on, spatial } from '../rules/shapes.js';
import { channelsIn, kernel, kernelSize, positionsOf, withBias } from '../rules/weights.js';
import { convolveTransposed, finished, isWide, overChannelsLast, transposedLength, windowOf } from './computed.js';
import { transposedOf } from './forward.js';
import { convolutionSettings } from './settings.js';
import { slidingOf } from './windows.js';

/** What is added behind the output; null: the output is as long as the padding makes it. */
const extraOf = (config: Json, n: number): number[] | null =>
  field(config, 'output_padding') == null ? null : tupleAt(config, 'output_padding', n, 0);

const transposed = (n: number): LayerClass => ({
  settings: convolutionSettings({ ungrouped: true }),
  shape: on(n + 1, (config, input) => {
    const sizes = tupleAt(config, 'kernel_size', n, 1);
    const { strides, dilations, padding } = windowOf(config, n);
    if (!sizes || !strides || !dilations) return null;
    const extra = extraOf(config, n);
    return spatial(
      config,
      input,
      (length, i) =>
        length === null
          ? null
          : positive(transposedLength(length, sizes[i]!, strides[i]!, dilations[i]!, padding, extra?.[i] ?? null)),
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
  forward: (op, config, [x], { kernel: weight, bias }) =>
    channelsLast(op, config, x!, (last) => {
      const sliding = slidingOf(config, n);
      const y = sliding && transposedOf(op, last, weight!, sliding, extraOf(config, n));
      return y && completed(op, config, y, bias);
    }),
  resize: resizes('filters'),
  keras: layer({
    ...FILTERS,
    ...windows(n, SAME_OR_VALID),
    output_padding: optional(naturals(n)),
    ...linearArguments('kernel'),
  }),
  ...(n > 1 && { computes: (config: Json) => extraOf(config, n) !== null || isWide(config, 'dilation_rate') }),
  compute: (tf, config, [x], { kernel, bias }) =>
    overChannelsLast(tf, config, x!, (last) =>
      finished(tf, config, convolveTransposed(tf, last, kernel!, windowOf(config, n), extraOf(config, n)), bias),
    ),
});

export const TRANSPOSED = {
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: { ...transposed(3), skipsFramesInTfjs: 'backwards' },
} satisfies Record<string, LayerClass>;
