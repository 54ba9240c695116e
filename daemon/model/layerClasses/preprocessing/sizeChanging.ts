/** Resizing and CenterCrop: read where the size is already there (normalise.ts), refused otherwise. */
import { numberAt } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { on } from '../rules/shapes.js';

const toSize: LayerClass = {
  shape: on(3, (config, input) => [numberAt(config, 'height'), numberAt(config, 'width'), input[2]!]),
  onInput: 'moves',
  changesSize: true,
};

export const SIZE_CHANGING = { Resizing: toSize, CenterCrop: toSize } satisfies Record<string, LayerClass>;
