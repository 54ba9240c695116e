/** DepthwiseConv1D and DepthwiseConv2D: one or several filters for each channel separately. */
import { layer, linear, optional, SAME_OR_VALID, windows } from '../../keras3/arguments.js';
import { positive } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import { scalarFunction } from '../../normalise/scalarFunctions.js';
import type { ChannelRule, LayerClass, ShapeRule } from '../layerClass.js';
import { unlessChannelsFirst, weightOf, zeroPads } from '../rules/channels.js';
import { convolved } from '../rules/shapes.js';
import { channelsIn, depthwiseKernel, kernelSize, positionsOf, product, withBias } from '../rules/weights.js';
import { depthwise, finished, isWide, overChannelsLast, windowOf } from './computed.js';
import { convolutionSettings } from './settings.js';

const multiplierOf = (config: Json): number => numberAt(config, 'depth_multiplier') ?? 1;

const shapeOf = (n: number): ShapeRule =>
  convolved(n, (config, channels) => (channels === null ? null : channels * multiplierOf(config)));

const channels: ChannelRule = (call, weights) => {
  const { config } = call.node.layer;
  const kernel = weightOf(call, weights, 'depthwise_kernel');
  const bias = weightOf(call, weights, 'bias');
  const activation = scalarFunction(field(config, 'activation'));
  if (!kernel || !activation) return null;
  const [read, multiplier] = [kernel.shape.at(-2)!, kernel.shape.at(-1)!];
  const pads = zeroPads(config);
  return {
    tied: (channel) => [{ input: 0, channel: Math.floor(channel / multiplier) }],
    constants([values]) {
      const sums = new Float64Array(read * multiplier);
      kernel.data.forEach((w, i) => {
        const output = i % sums.length;
        const x = values![Math.floor(output / multiplier)]!;
        if (w !== 0 && x !== 0) sums[output]! += pads ? NaN : w * x;
      });
      return sums.map((sum, output) => activation(sum + (bias?.data[output] ?? 0)));
    },
    cuts: [
      { weight: kernel, axis: kernel.shape.length - 2, side: 'input' },
      ...(bias ? [{ weight: bias, axis: 0, side: 'output' as const }] : []),
    ],
  };
};

const depthwiseConvolution = (n: number): LayerClass => {
  const shape = shapeOf(n);
  return {
    settings: convolutionSettings({ ungrouped: true, ...(n === 1 && { causal: true }) }),
    shape,
    weights(config, input) {
      const read = channelsIn(config, input);
      const multiplier = multiplierOf(config);
      const [output] = shape(config, [input], () => []);
      return [
        depthwiseKernel([...kernelSize(config, n), read, multiplier], positionsOf(config, output)),
        ...withBias(config, product(read, multiplier)),
      ];
    },
    initial: { depthwise_initializer: {} },
    channels: unlessChannelsFirst(channels),
    keras: layer({ ...windows(n, SAME_OR_VALID), depth_multiplier: optional(positive), ...linear('depthwise') }),
    // TensorFlow.js ignores the dilation.
    ...(n > 1 && { computes: (config: Json) => isWide(config, 'dilation_rate') }),
    compute: (tf, config, [x], { depthwise_kernel: kernel, bias }) =>
      overChannelsLast(tf, config, x!, (last) =>
        finished(tf, config, depthwise(tf, last, kernel!, windowOf(config, n)), bias),
      ),
  };
};

export const DEPTHWISE = {
  DepthwiseConv1D: depthwiseConvolution(1),
  DepthwiseConv2D: depthwiseConvolution(2),
} satisfies Record<string, LayerClass>;
