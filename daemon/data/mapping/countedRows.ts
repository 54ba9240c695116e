/** Rows of outputs and targets (samples, or steps of a sequence) without the padding that a mask leaves out. */

/** Which rows count: 1 or 0 each, of all samples one after the other; null where all do (engine/masks). */
export type RowMask = ArrayLike<number> | null;

/** Mean number of rows that count in a sample. Dividing a sample's sum by it makes the mean over samples the mean over those rows. */
export function rowsOfSample(mask: RowMask, rows: number, count: number): number {
  if (!mask) return rows / count;
  let counted = 0;
  for (let row = 0; row < rows; row++) counted += mask[row]!;
  return counted / count;
}

/** Means of the values of rows that count, by their position modulo `period`; 0 if none does. @param width of a row. */
export function columnMeans(values: Float32Array, period: number, width: number, mask: RowMask): Float64Array {
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  for (let i = 0; i < values.length; i++) {
    if (mask?.[Math.floor(i / width)] === 0) continue;
    sums[i % period]! += values[i]!;
    counts[i % period]!++;
  }
  return sums.map((sum, i) => sum / Math.max(1, counts[i]!));
}
