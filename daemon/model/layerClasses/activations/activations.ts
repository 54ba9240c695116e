/** Activation, ELU, Softmax, Rescaling: functions of values without weights, and their settings. */
import { layer, optional, or, required } from '../../keras3/arguments.js';
import { activation, axis, number, numbers } from '../../keras3/values.js';
import { field, numberAt } from '../../layers/layerConfig.js';
import { scalarFunction } from '../../normalise/scalarFunctions.js';
import type { LayerClass } from '../layerClass.js';
import { activated } from '../rules/channels.js';
import { again } from '../rules/settings.js';
import { same } from '../rules/shapes.js';

export const ACTIVATIONS = {
  Activation: {
    shape: same,
    channels: activated((config) => scalarFunction(field(config, 'activation'))),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    sparse: 'activation',
    keras: layer({ activation: or(activation, 'linear') }),
  },
  ELU: {
    settings(config, refuse) {
      if (field(config, 'alpha') != null && field(config, 'alpha') !== 1)
        refuse(`has alpha other than 1, which TensorFlow.js cannot compute; ${again}`);
    },
    shape: same,
    channels: activated(() => scalarFunction('elu')),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ alpha: optional(number) }),
  },
  // It reads all channels.
  Softmax: {
    shape: same,
    mask: 'pass',
    maskInTfjs: 'reads',
    asActivation: true,
    lastAxisInTfjs: true,
    sparse: 'activation',
    keras: layer({ axis: optional(axis) }),
  },
  Rescaling: {
    settings(config, refuse) {
      if ([field(config, 'scale'), field(config, 'offset') ?? 0].some((n) => typeof n !== 'number'))
        refuse('rescales by channel, which TensorFlow.js cannot compute; scale the data instead');
    },
    shape: same,
    channels: activated((config) => {
      const [scale, offset] = [numberAt(config, 'scale'), numberAt(config, 'offset') ?? 0];
      return scale === null ? null : (x) => x * scale + offset;
    }),
    inOrder: true,
    onInput: 'scales',
    mask: 'pass',
    keras: layer({ scale: required(numbers), offset: optional(numbers) }),
  },
} satisfies Record<string, LayerClass>;
