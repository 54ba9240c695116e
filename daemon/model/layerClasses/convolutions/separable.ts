/** SeparableConv1D and SeparableConv2D: a depthwise convolution and a pointwise one, with no activation between them. */
import { FILTERS, layer, linear, optional, SAME_OR_VALID, weights, windows } from '../../keras3/arguments.js';
import { positive } from '../../keras3/values.js';
import { numberAt, type LayerJson } from '../../layers/layerConfig.js';
import type { LayerClass, Note } from '../layerClass.js';
import { channelsLast, completed, resizes } from '../rules/forward.js';
import { convolved, filters } from '../rules/shapes.js';
import { channelsIn, depthwiseKernel, kernel, kernelSize, positionsOf, product, withBias } from '../rules/weights.js';
import { convolve, depthwise, finished, overChannelsLast, windowOf } from './computed.js';
import { convolutionOf, depthwiseOf } from './forward.js';
import { convolutionSettings } from './settings.js';
import { slidingOf } from './windows.js';

/** tf.keras writes an initializer and a regularizer for a kernel that the class does not have; TensorFlow.js rejects them. */
function dropMissingKernel({ config }: LayerJson, note: Note): void {
  const keys = Object.keys(config).filter((key) => /^kernel_?(initializer|regularizer|constraint)$/i.test(key));
  for (const key of keys) delete config[key];
  if (keys.length > 0) note('settings of a kernel that separable convolutions do not have were dropped');
}

const separable = (n: number): LayerClass => {
  const shape = convolved(n, filters);
  const ones = new Array<number>(n).fill(1);
  return {
    rewrite: dropMissingKernel,
    settings: convolutionSettings({ ungrouped: true, ...(n === 1 && { causal: true }) }),
    shape,
    weights(config, input) {
      const read = channelsIn(config, input);
      const multiplier = numberAt(config, 'depth_multiplier') ?? 1;
      const uses = positionsOf(config, shape(config, [input], () => [])[0]);
      return [
        depthwiseKernel([...kernelSize(config, n), read, multiplier], uses),
        kernel('pointwise_kernel', [...ones, product(read, multiplier), filters(config)], uses),
        ...withBias(config, filters(config)),
      ];
    },
    initial: { depthwise_initializer: {}, pointwise_initializer: {} },
    forward: (op, config, [x], { depthwise_kernel: own, pointwise_kernel: across, bias }) =>
      channelsLast(op, config, x!, (last) => {
        const each = depthwiseOf(op, last, own!, slidingOf(config, n));
        const mixed =
          each && convolutionOf(op, each, across!, { sizes: ones, strides: ones, dilations: ones, padding: 'valid' });
        return mixed && completed(op, config, mixed, bias);
      }),
    resize: resizes('filters'),
    keras: layer({
      ...FILTERS,
      ...windows(n, SAME_OR_VALID),
      depth_multiplier: optional(positive),
      ...linear('depthwise'),
      ...weights('pointwise'),
    }),
  };
};

export const SEPARABLE = {
  SeparableConv1D: {
    ...separable(1),
    compute: (tf, config, [x], { depthwise_kernel: own, pointwise_kernel: across, bias }) =>
      overChannelsLast(tf, config, x!, (last) => {
        const y = depthwise(tf, last, own!, windowOf(config, 1));
        const mixed = convolve(tf, y, across!, { strides: [1], dilations: [1], padding: 'valid' });
        return finished(tf, config, mixed, bias);
      }),
  },
  SeparableConv2D: {
    ...separable(2),
    // TensorFlow.js adds the bias along the rows.
    channelsFirst: { permutation: () => [[2, 3, 1], [3, 1, 2]], trainedWrongly: true },
  },
} satisfies Record<string, LayerClass>; // prettier-ignore
