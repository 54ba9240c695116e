/**
 * The only downsampling of curves, in logs, streams, tables and charts. Of a bucket of neighbouring rows those with the lowest and the highest value
 * stay, and one whose value is not finite; of the whole, its first and last row. So spikes, gaps and ends stay visible however often it is applied.
 * Rows are selected, never averaged: every value shown was measured.
 */

/** null is not finite, like NaN. */
export type Values = ArrayLike<number | null>;

// Finite minus itself is 0; NaN and infinities are not.
const isFiniteValue = (value: number | null): value is number => value !== null && value - value === 0;

/**
 * The rows of the bucket [from, end) that stay, ascending: at most three.
 * @param ends keeps the bucket's first and last row too. With a bucket for each pixel column the line then looks as if all its points were drawn (M4,
 * Jugel et al. 2014).
 */
export function bucketRows(y: Values, from: number, end: number, ends = false): number[] {
  let low = -1;
  let high = -1;
  let broken = -1;
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = from; i < end; i++) {
    const value = y[i]!;
    if (!isFiniteValue(value)) {
      broken = i;
      continue;
    }
    if (value < lowest) {
      lowest = value;
      low = i;
    }
    if (value > highest) {
      highest = value;
      high = i;
    }
  }
  const rows = [low, high, broken].filter((row) => row >= 0);
  if (ends && end > from) rows.push(from, end - 1);
  rows.sort((a, b) => a - b);
  return rows.filter((row, i) => row !== rows[i - 1]);
}

/**
 * The selected rows, ascending.
 * @param most rows that may stay, at least 2; from 5 on the lowest, the highest and a value that is not finite are among them.
 */
export function downsample(y: Values, most: number): number[] {
  const n = y.length;
  if (n <= most) return Array.from({ length: n }, (_, row) => row);
  if (most < 2) return n === 0 || most < 1 ? [] : [n - 1];
  let broken = 0;
  for (let i = 1; i < n - 1; i++) if (!isFiniteValue(y[i]!)) broken++;
  // Two rows a bucket, and a third in buckets with a value that is not finite.
  const buckets = Math.floor(Math.max((most - 2 - broken) / 2, (most - 2) / 3));
  const border = (bucket: number) => 1 + Math.floor((bucket * (n - 2)) / buckets);
  const rows = [0];
  for (let i = 0; i < buckets; i++) for (const row of bucketRows(y, border(i), border(i + 1))) rows.push(row);
  rows.push(n - 1);
  return rows;
}
