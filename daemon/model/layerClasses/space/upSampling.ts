import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { oneOf, sizes } from '../../keras3/values.js';
import { stringAt, tupleAt } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { identity, unlessChannelsFirst } from '../rules/channels.js';
import { on, spatial } from '../rules/shapes.js';

export const UP_SAMPLING = {
  UpSampling2D: {
    settings(config, refuse) {
      const interpolation = stringAt(config, 'interpolation') ?? 'nearest';
      if (interpolation !== 'nearest' && interpolation !== 'bilinear')
        refuse(`has interpolation ${interpolation}, which TensorFlow.js cannot compute; use nearest or bilinear`);
      if (tupleAt(config, 'size', 2, 2) === null) refuse('has a size that is not two numbers');
    },
    shape: on(3, (config, input) => {
      const size = tupleAt(config, 'size', 2, 2);
      return size && spatial(config, input, (dim, axis) => (dim === null ? null : dim * size[axis]!));
    }),
    channels: unlessChannelsFirst(identity),
    keras: layer({ size: optional(sizes(2)), interpolation: optional(oneOf('nearest', 'bilinear')), ...DATA_FORMAT }),
  },
} satisfies Record<string, LayerClass>;
