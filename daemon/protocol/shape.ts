/** Shapes of tensors. */

/** How many numbers a tensor of the shape holds: the product of its sizes, 1 for a scalar (`[]`). */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
