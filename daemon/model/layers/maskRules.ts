/** Masks of Keras 3.15, by class: see `mask` and `makesMask` of each record. */
import type { MaskRule } from '../layerClasses/layerClass.js';
import { classOf } from '../layerClasses/registry.js';
import type { LayerJson } from './layerConfig.js';

/** Whether the layer makes a mask. */
export const makesMask = ({ class_name: name, config }: LayerJson): boolean =>
  classOf(name)?.makesMask?.(config) ?? false;

/**
 * undefined: the class creates masks (Embedding, Masking), combines them in its own way (Concatenate), or drops them, as Keras does with a warning:
 * convolutions, pooling, Flatten, Reshape and the like.
 */
export const maskRule = (className: string): MaskRule | undefined => classOf(className)?.mask;
