/** Resizing, CenterCrop and RandomCrop: accepted if the image already has the size (normalise.ts), rejected otherwise. */
import { numberAt } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { on } from '../rules/shapes.js';

const toSize: LayerClass = {
  shape: on(3, (config, input) => [numberAt(config, 'height'), numberAt(config, 'width'), input[2]!]),
  onInput: 'moves',
  changesSize: true,
};

export const SIZE_CHANGING = { Resizing: toSize, CenterCrop: toSize, RandomCrop: toSize } satisfies Record<
  string,
  LayerClass
>;
