/** Keras's epsilon: probabilities are clipped to [1e-7, 1 - 1e-7] before their logarithm. */
export const EPSILON = 1e-7;
