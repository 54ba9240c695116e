import { layer, optional } from '../keras3/arguments.js';
import { number } from '../keras3/values.js';
import type { LayerClass } from './layerClass.js';
import { same } from './rules/shapes.js';

export const MASKING = {
  Masking: {
    shape: same,
    onInput: 'moves',
    makesMask: () => true,
    maskInTfjs: 'passes',
    keras: layer({ mask_value: optional(number) }),
  },
} satisfies Record<string, LayerClass>;
