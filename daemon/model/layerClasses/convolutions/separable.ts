/** SeparableConv1D and SeparableConv2D: a depthwise convolution and a pointwise one, with no activation between them. */
import { FILTERS, layer, linear, optional, SAME_OR_VALID, weights, windows } from '../../keras3/arguments.js';
import { positive } from '../../keras3/values.js';
import { field, numberAt, type LayerJson } from '../../layers/layerConfig.js';
import { scalarFunction } from '../../normalise/scalarFunctions.js';
import type { ChannelRule, LayerClass, Note } from '../layerClass.js';
import { linearRole, unlessChannelsFirst, weightOf } from '../rules/channels.js';
import { convolved, filters } from '../rules/shapes.js';
import { channelsIn, depthwiseKernel, kernel, kernelSize, positionsOf, product, withBias } from '../rules/weights.js';
import { convolve, depthwise, finished, overChannelsLast, windowOf } from './computed.js';
import { convolutionSettings } from './settings.js';

const channels: ChannelRule = (call, tensors) => {
  const { config } = call.node.layer;
  const depthwise = weightOf(call, tensors, 'depthwise_kernel');
  const pointwise = weightOf(call, tensors, 'pointwise_kernel');
  if (!depthwise || !pointwise) return null;
  const activation = scalarFunction(field(config, 'activation'));
  const bias = weightOf(call, tensors, 'bias');
  const [inputAxis, outputAxis] = [pointwise.shape.length - 2, pointwise.shape.length - 1];
  // A constant is not followed through the depthwise part, except 0.
  const map = { kernel: pointwise, depthwise, inputAxis, outputAxis, ...(bias && { bias }), foldsZeroOnly: true };
  const inputs = [
    { weight: depthwise, axis: depthwise.shape.length - 2, side: 'input' as const },
    { weight: pointwise, axis: inputAxis, side: 'input' as const, entries: depthwise.shape.at(-1)! },
  ];
  return linearRole(map, activation, inputs, 'filters');
};

/** tf.keras writes an initializer and a regularizer for a kernel that the class does not have; TensorFlow.js rejects them. */
function dropMissingKernel({ config }: LayerJson, note: Note): void {
  const keys = Object.keys(config).filter((key) => /^kernel_?(initializer|regularizer|constraint)$/i.test(key));
  for (const key of keys) delete config[key];
  if (keys.length > 0) note('settings of a kernel that separable convolutions do not have were dropped');
}

const separable = (n: number): LayerClass => {
  const shape = convolved(n, filters);
  return {
    rewrite: dropMissingKernel,
    settings: convolutionSettings({ ungrouped: true, ...(n === 1 && { causal: true }) }),
    shape,
    weights(config, input) {
      const read = channelsIn(config, input);
      const multiplier = numberAt(config, 'depth_multiplier') ?? 1;
      const uses = positionsOf(config, shape(config, [input], () => [])[0]);
      const ones = new Array<number>(n).fill(1);
      return [
        depthwiseKernel([...kernelSize(config, n), read, multiplier], uses),
        kernel('pointwise_kernel', [...ones, product(read, multiplier), filters(config)], uses),
        ...withBias(config, filters(config)),
      ];
    },
    initial: { depthwise_initializer: {}, pointwise_initializer: {} },
    channels: unlessChannelsFirst(channels),
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
