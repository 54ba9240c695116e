import { layer, linear as linearArguments, required } from '../keras3/arguments.js';
import { positive } from '../keras3/values.js';
import { numberAt } from '../layers/layerConfig.js';
import type { LayerClass } from './layerClass.js';
import { linear } from './rules/channels.js';
import { on } from './rules/shapes.js';
import { kernel, positions, withBias } from './rules/weights.js';

export const DENSE = {
  Dense: {
    shape: on(null, (config, input) =>
      input.length === 0 ? null : [...input.slice(0, -1), numberAt(config, 'units')],
    ),
    weights(config, input) {
      const units = numberAt(config, 'units');
      return [
        kernel('kernel', [input?.at(-1) ?? null, units], positions(input?.slice(0, -1) ?? [])),
        ...withBias(config, units),
      ];
    },
    initial: { kernel_initializer: {} },
    channels: linear({ input: -2, output: -1 }, 'units'),
    mask: 'pass',
    maskInTfjs: 'passes',
    sparse: 'product',
    keras: layer({ units: required(positive), ...linearArguments('kernel') }),
  },
} satisfies Record<string, LayerClass>;
