import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { borders } from '../../keras3/values.js';
import type { LayerClass } from '../layerClass.js';
import { identity, unlessChannelsFirst } from '../rules/channels.js';
import { bordered } from './borders.js';

export const CROPPING = {
  Cropping2D: {
    shape: bordered('cropping', 0, -1),
    channels: unlessChannelsFirst(identity),
    onInput: 'moves',
    keras: layer({ cropping: optional(borders(2)), ...DATA_FORMAT }),
  },
} satisfies Record<string, LayerClass>;
