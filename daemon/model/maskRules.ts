/** What the classes of Keras 3.15 make of their inputs' masks (supports_masking and compute_mask of each layer). */

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

const RULES: ReadonlyMap<string, MaskRule> = new Map(
  Object.entries(CLASSES).flatMap(([rule, names]) => names.split(' ').map((name) => [name, rule as MaskRule] as const)),
);

/**
 * undefined: the class makes masks of its own (Embedding, Masking), joins them otherwise (Concatenate), or ends them, as Keras
 * does with a warning: convolutions, pooling, Flatten, Reshape and the like.
 */
export const maskRule = (className: string): MaskRule | undefined => RULES.get(className);
