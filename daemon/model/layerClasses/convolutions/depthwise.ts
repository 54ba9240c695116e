/** DepthwiseConv1D and DepthwiseConv2D: one or several filters for each channel separately. */
import { layer, linear, optional, SAME_OR_VALID, windows } from '../../keras3/arguments.js';
import { positive } from '../../keras3/values.js';
import { numberAt, type Json } from '../../layers/layerConfig.js';
import type { LayerClass, ShapeRule } from '../layerClass.js';
import { channelsLast, completed } from '../rules/forward.js';
import { convolved } from '../rules/shapes.js';
import { channelsIn, depthwiseKernel, kernelSize, positionsOf, product, withBias } from '../rules/weights.js';
import { depthwise, finished, isWide, overChannelsLast, windowOf } from './computed.js';
import { depthwiseOf } from './forward.js';
import { convolutionSettings } from './settings.js';
import { slidingOf } from './windows.js';

const multiplierOf = (config: Json): number => numberAt(config, 'depth_multiplier') ?? 1;

const shapeOf = (n: number): ShapeRule =>
  convolved(n, (config, channels) => (channels === null ? null : channels * multiplierOf(config)));

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
    forward: (op, config, [x], { depthwise_kernel: kernel, bias }) =>
      channelsLast(op, config, x!, (last) => {
        const y = depthwiseOf(op, last, kernel!, slidingOf(config, n));
        return y && completed(op, config, y, bias);
      }),
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
