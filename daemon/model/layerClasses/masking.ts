import { layer, optional } from '../keras3/arguments.js';
import { number } from '../keras3/values.js';
import { numberAt } from '../layers/layerConfig.js';
import { rowPresence } from './rules/presence.js';
import type { LayerClass } from './layerClass.js';
import { same } from './rules/shapes.js';

export const MASKING = {
  Masking: {
    shape: same,
    forward: (op, config, [x]) =>
      op.mul(x!, op.reshape(rowPresence(op, x!, numberAt(config, 'mask_value') ?? 0), x!.shape.with(-1, 1))),
    onInput: 'moves',
    makesMask: () => true,
    maskInTfjs: 'passes',
    keras: layer({ mask_value: optional(number) }),
  },
} satisfies Record<string, LayerClass>;
