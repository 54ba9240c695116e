/** Shapes of tensors. */

/** Number of elements of a tensor of the shape: the product of its sizes, 1 for a scalar (`[]`). */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
