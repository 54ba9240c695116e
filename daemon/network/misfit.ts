/** Operands or settings that do not fit together, in words: a fault of the file. JavaScript's own RangeErrors are faults of this product. */
export class Misfit extends RangeError {
  override readonly name = 'Misfit';
}
