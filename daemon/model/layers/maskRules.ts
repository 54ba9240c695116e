/** What the classes of Keras 3.15 make of their inputs' masks (supports_masking and compute_mask of each layer). */

import type { LayerJson } from './layerConfig.js';

/** The mask of its only input; of several inputs one for all; that of its input where it gives all steps back. */
export type MaskRule = 'pass' | 'merge' | 'steps';

const CLASSES: Readonly<Record<MaskRule, string>> = {
  pass:
    'Activation ELU LeakyReLU PReLU ReLU ThresholdedReLU Softmax Dense Identity Rescaling TimeDistributed ' +
    'Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout ' +
    'Normalization BatchNormalization LayerNormalization GroupNormalization UnitNormalization ActivityRegularization',
  merge: 'Add Subtract Multiply Average Maximum Minimum',
  steps: 'RNN SimpleRNN GRU LSTM ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional',
};

/** Whether the layer makes a mask. */
export const makesMask = ({ class_name: name, config }: LayerJson): boolean =>
  name === 'Masking' || (name === 'Embedding' && config.mask_zero === true);

/** Whether a class makes of each channel, in inference, what its inputs' masks say. Recurrent layers mix channels. */
export const readsMaskByChannel = (className: string): boolean =>
  /^(Multiply|Maximum|Minimum|GlobalAveragePooling1D)$/.test(className);

/**
 * Whether, in inference, a channel whose inputs are all the constant `value` stays that at every step, whatever a mask leaves
 * out. Of Multiply a factor that does not count is 1, and where none counts the product is 0; GlobalAveragePooling1D is 0 where no
 * step counts.
 */
export function staysUnderMasks(className: string, value: number): boolean {
  return value === 0 || !/^(Multiply|GlobalAveragePooling1D)$/.test(className);
}

const RULES: ReadonlyMap<string, MaskRule> = new Map(
  Object.entries(CLASSES).flatMap(([rule, names]) => names.split(' ').map((name) => [name, rule as MaskRule] as const)),
);

/**
 * undefined: the class makes masks of its own (Embedding, Masking), joins them otherwise (Concatenate), or ends them, as Keras
 * does with a warning: convolutions, pooling, Flatten, Reshape and the like.
 */
export const maskRule = (className: string): MaskRule | undefined => RULES.get(className);
