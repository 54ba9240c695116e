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

/** Index of the x nearest to value, or -1 where there is none. */
export function nearest(x: ArrayLike<number>, value: number): number {
  if (x.length === 0) return -1;
  const i = lowerBound(x, value);
  if (i === 0) return 0;
  if (i === x.length) return i - 1;
  return value - x[i - 1]! <= x[i]! - value ? i - 1 : i;
}

export interface Points {
  x: number[];
  /** null: not a finite number, drawn as a gap. */
  y: (number | null)[];
}

/**
 * The points of a line that are needed to draw it `width` pixels wide between min and max: first, lowest, highest and last of
 * every pixel column (M4, Jugel et al. 2014), which gives the same picture as all points. One point beyond each end stays,
 * so the line reaches the border. A column with a value that is not finite keeps one null.
 */
export function decimate(x: Float64Array, y: Float64Array, min: number, max: number, width: number): Points {
  const from = Math.max(0, lowerBound(x, min) - 1);
  let to = lowerBound(x, max);
  while (to < x.length && x[to]! <= max) to++;
  to = Math.min(x.length, to + 1);
  const points: Points = { x: [], y: [] };
  const put = (i: number) => {
    points.x.push(x[i]!);
    points.y.push(Number.isFinite(y[i]!) ? y[i]! : null);
  };
  if (to - from <= width * 4) {
    for (let i = from; i < to; i++) put(i);
    return points;
  }
  const perPixel = width / (max - min || 1);
  const column = (i: number) => Math.floor((x[i]! - min) * perPixel);
  for (let start = from; start < to;) {
    const at = column(start);
    let low = start;
    let high = start;
    let broken = -1;
    let end = start;
    for (; end < to && column(end) === at; end++) {
      const value = y[end]!;
      if (!Number.isFinite(value)) broken = end;
      else {
        if (!(y[low]! <= value)) low = end;
        if (!(y[high]! >= value)) high = end;
      }
    }
    const kept = [start, low, high, end - 1, ...(broken < 0 ? [] : [broken])].sort((a, b) => a - b);
    kept.forEach((i, k) => {
      if (i !== kept[k - 1]) put(i);
    });
    start = end;
  }
  return points;
}
