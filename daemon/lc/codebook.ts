import { keepLargest, rejectNonFinite } from './select.js';

/** Cells of the dynamic program's table; more points than limit / K are merged into equal runs first. */
const TABLE_LIMIT = 1 << 23;

/** Magnitudes of one sign in descending order, at most kappa of them: the only ones a best kappa can hold. */
function descendingMagnitudes(v: Float32Array, sign: 1 | -1, kappa: number): Float32Array {
  let values = new Float32Array(v.length);
  let count = 0;
  for (let i = 0; i < v.length; i++) if (v[i]! * sign > 0) values[count++] = v[i]! * sign;
  values = values.slice(0, count);
  if (count > kappa) {
    keepLargest(values, kappa, values);
    values = values.filter((x) => x !== 0);
  }
  return values.sort().reverse();
}

/** Prefix sums of a side's points: weights[j] magnitudes with sum sums[j] in the j first points. */
interface Side {
  readonly points: number;
  readonly weights: Float64Array;
  readonly sums: Float64Array;
}

function sideOf(values: Float32Array, run: number): Side {
  const points = Math.ceil(values.length / run);
  const weights = new Float64Array(points + 1);
  const sums = new Float64Array(points + 1);
  for (let j = 0; j < points; j++) {
    const end = Math.min(values.length, (j + 1) * run);
    let sum = sums[j]!;
    for (let i = j * run; i < end; i++) sum += values[i]!;
    sums[j + 1] = sum;
    weights[j + 1] = end;
  }
  return { points, weights, sums };
}

/**
 * gain[k][j] = the most that k clusters save on the j first points, sum over clusters of (sum of members)^2 / members,
 * and from[k][j] = where the last cluster begins. The best beginning moves one way only as j grows (the cost of an
 * interval satisfies the quadrangle inequality), so each row takes O(n log n) by divide and conquer.
 */
interface Clustering {
  readonly gain: readonly Float64Array[];
  readonly from: readonly Uint32Array[];
}

function cluster({ points, weights, sums }: Side, K: number): Clustering {
  const gain = [new Float64Array(points + 1).fill(-Infinity, 1)];
  const from = [new Uint32Array(points + 1)];
  for (let k = 1; k <= K; k++) {
    const before = gain[k - 1]!;
    const row = new Float64Array(points + 1);
    const start = new Uint32Array(points + 1);
    const solve = (low: number, high: number, first: number, last: number): void => {
      if (low > high) return;
      const j = (low + high) >>> 1;
      let best = -Infinity;
      let at = first;
      for (let i = first; i <= Math.min(last, j - 1); i++) {
        const sum = sums[j]! - sums[i]!;
        const value = before[i]! + (sum * sum) / (weights[j]! - weights[i]!);
        if (value > best) {
          best = value;
          at = i;
        }
      }
      row[j] = best;
      start[j] = at;
      solve(low, j - 1, first, at);
      solve(j + 1, high, at, last);
    };
    // One cluster can only begin at 0; the general search would compare infinities.
    solve(1, points, 0, k === 1 ? 0 : points - 1);
    gain.push(row);
    from.push(start);
  }
  return { gain, from };
}

/** Cluster means of the j first points in k clusters, largest first. */
function means({ weights, sums }: Side, { from }: Clustering, k: number, j: number): number[] {
  const centres: number[] = [];
  for (let c = k, end = j; c > 0 && end > 0; c--) {
    const start = from[c]![end]!;
    centres.push((sums[end]! - sums[start]!) / (weights[end]! - weights[start]!));
    end = start;
  }
  return centres;
}

/** For each j the best prefix up to it: argmax over i <= j of row[i]. */
function bestPrefix(row: Float64Array): Uint32Array {
  const best = new Uint32Array(row.length);
  for (let j = 1; j < row.length; j++) best[j] = row[j]! > row[best[j - 1]!]! ? j : best[j - 1]!;
  return best;
}

/**
 * The nested codebook: c_1..c_K (at most K, none 0) that minimise ||v - theta||^2 over theta_i in {0, c_1, ..., c_K} with
 * ||theta||_0 <= kappa. On the line the zeros and the clusters are intervals, negative weights go to negative codes, so
 * the two signs are clustered apart by dynamic programming, O(K n log n), and the best split of K and kappa is taken.
 * Exact for up to 2^23 / K weights among the kappa largest of each sign; beyond that, neighbours in order are merged.
 * @returns the codes in ascending order. @throws RangeError on a NaN or an infinity.
 */
export function nestedCodebook(v: Float32Array, K: number, kappa: number): Float32Array {
  for (let i = 0; i < v.length; i++) if (!Number.isFinite(v[i])) rejectNonFinite(v);
  const values = ([1, -1] as const).map((sign) => descendingMagnitudes(v, sign, kappa));
  const total = values[0]!.length + values[1]!.length;
  const run = Math.max(1, Math.ceil((total * K) / TABLE_LIMIT));
  const [plus, minus] = [sideOf(values[0]!, run), sideOf(values[1]!, run)];
  const [plusClusters, minusClusters] = [cluster(plus, K), cluster(minus, K)];

  let best = { gain: -1, k: 0, plus: 0, minus: 0 };
  for (let k = 0; k <= K; k++) {
    const plusGain = plusClusters.gain[k]!;
    const minusGain = minusClusters.gain[K - k]!;
    const plusBest = bestPrefix(plusGain);
    const minusBest = bestPrefix(minusGain);
    let room = minus.points;
    for (let j = 0; j <= plus.points; j++) {
      if (plus.weights[j]! > kappa) break;
      while (plus.weights[j]! + minus.weights[room]! > kappa) room--;
      const gain = plusGain[plusBest[j]!]! + minusGain[minusBest[room]!]!;
      if (gain > best.gain) best = { gain, k, plus: plusBest[j]!, minus: minusBest[room]! };
    }
  }
  const codes = [
    ...means(plus, plusClusters, best.k, best.plus),
    ...means(minus, minusClusters, K - best.k, best.minus).map((mean) => -mean),
  ];
  return Float32Array.from(codes).sort();
}

/**
 * The ternary scale: s >= 0 minimising ||v - theta||^2 over theta_i in {-s, 0, s} with ||theta||_0 <= kappa. With the k
 * largest magnitudes kept s is their mean S_k/k and saves S_k^2/k; the best k <= kappa is found on sorted magnitudes.
 */
export function ternaryScale(v: Float32Array, kappa: number): number {
  const kept = new Float32Array(v.length);
  keepLargest(v, kappa, kept);
  const magnitudes = kept.filter((x) => x !== 0).map(Math.abs);
  magnitudes.sort().reverse();
  let sum = 0;
  let best = 0;
  let scale = 0;
  magnitudes.forEach((x, i) => {
    sum += x;
    if ((sum * sum) / (i + 1) > best) {
      best = (sum * sum) / (i + 1);
      scale = sum / (i + 1);
    }
  });
  return Math.fround(scale);
}
