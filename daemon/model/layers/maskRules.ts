/** Masks of Keras 3.15, by class: see `mask`, `makesMask` and `readsMask` of each record. */
import type { MaskRule } from '../layerClasses/layerClass.js';
import { classOf } from '../layerClasses/registry.js';
import type { LayerJson } from './layerConfig.js';

/** Whether the layer makes a mask. */
export const makesMask = ({ class_name: name, config }: LayerJson): boolean =>
  classOf(name)?.makesMask?.(config) ?? false;

/** Whether a class applies its inputs' masks to each channel in inference. Recurrent layers mix channels. */
export const readsMaskByChannel = (className: string): boolean => classOf(className)?.readsMask !== undefined;

/** Whether, in inference, a channel whose inputs are all the constant `value` has that value at every step, whatever a mask leaves out. */
export const staysUnderMasks = (className: string, value: number): boolean =>
  value === 0 || classOf(className)?.readsMask !== 'keeps zeros';

/**
 * undefined: the class creates masks (Embedding, Masking), combines them in its own way (Concatenate), or drops them, as Keras does with a warning:
 * convolutions, pooling, Flatten, Reshape and the like.
 */
export const maskRule = (className: string): MaskRule | undefined => classOf(className)?.mask;
