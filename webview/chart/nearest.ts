/** Searches on a sorted axis. */

/** Index of the first x that is >= value (x sorted). */
export function lowerBound(x: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the x nearest to value, or -1 if there is none. */
export function nearest(x: ArrayLike<number>, value: number): number {
  if (x.length === 0) return -1;
  const i = lowerBound(x, value);
  if (i === 0) return 0;
  if (i === x.length) return i - 1;
  return value - x[i - 1]! <= x[i]! - value ? i - 1 : i;
}
