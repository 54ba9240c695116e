/** Shapes of tensors. */

/** Number of elements of a tensor of the shape: the product of its sizes, 1 for a scalar (`[]`). */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Elements between neighbours along each axis of a dense, row-major tensor of the shape. */
export const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
