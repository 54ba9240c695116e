import { keepLargest, rejectNonFinite } from './projections/select.js';
import { sortDescending } from './projections/sortDescending.js';

/** Most cells of the dynamic program's table; more points than limit / K are merged into runs first. */
const TABLE_LIMIT = 1 << 20;

/** The at most kappa largest magnitudes of one sign in descending order: the solution uses no others. */
function descendingMagnitudes(v: Float32Array, sign: 1 | -1, kappa: number): Float32Array {
  let values = new Float32Array(v.length);
  let count = 0;
  for (let i = 0; i < v.length; i++) if (v[i]! * sign > 0) values[count++] = v[i]! * sign;
  values = values.slice(0, count);
  if (count > kappa) {
    keepLargest(values, kappa, values);
    let kept = 0;
    for (let i = 0; i < count; i++) if (values[i] !== 0) values[kept++] = values[i]!;
    values = values.slice(0, kept);
  }
  return sortDescending(values);
}

/** Weights of one block of the prefix sums. */
const BLOCK = 64;

/** Magnitudes of one sign, largest first, with their prefix sums at every BLOCK-th: any sum in O(BLOCK). */
class Magnitudes {
  private readonly sums: Float64Array;

  constructor(readonly values: Float32Array) {
    this.sums = new Float64Array(Math.floor(values.length / BLOCK) + 1);
    let sum = 0;
    for (let i = 0; i <= values.length; i++) {
      if (i % BLOCK === 0) this.sums[i / BLOCK] = sum;
      if (i < values.length) sum += values[i]!;
    }
  }

  /** Sum of the `count` largest. */
  sum(count: number): number {
    const block = Math.floor(count / BLOCK);
    let sum = this.sums[block]!;
    for (let i = block * BLOCK; i < count; i++) sum += this.values[i]!;
    return sum;
  }
}

/** Prefix sums of a side's points: weights[j] magnitudes with sum sums[j] in the j first points. */
interface Side {
  readonly points: number;
  readonly weights: Float64Array;
  readonly sums: Float64Array;
}

/** @param cuts between points, as numbers of magnitudes from the largest; ascending, none twice, from 0 on. */
const sideOf = (magnitudes: Magnitudes, cuts: readonly number[]): Side => ({
  points: cuts.length - 1,
  weights: Float64Array.from(cuts),
  sums: Float64Array.from(cuts, (cut) => magnitudes.sum(cut)),
});

/** Cuts between runs of `run` neighbours, shorter where magnitudes differ by more than an even part of the range: the few large ones matter most. */
function evenCuts({ values }: Magnitudes, run: number): number[] {
  const cuts = [0];
  const width = run === 1 ? 0 : values[0]! / Math.ceil(values.length / run);
  for (let first = 0; first < values.length; first = cuts.at(-1)!) {
    const end = Math.min(values.length, first + run);
    let next = first + 1;
    if (values[first]! - values[end - 1]! <= width) next = end;
    else while (next < end && values[first]! - values[next]! <= width) next++;
    cuts.push(next);
  }
  return cuts;
}

/** Finer cuts everywhere, and most of them on both sides of each end of the last solution. */
const CUTS = 1 << 12;
const NEAR = 8;
/** Factor of refinement: less than NEAR, so that an end may move by more than one of the former steps. */
const FINER = 4;

function cutsNear(centres: readonly number[], step: number, length: number): number[] {
  const near = Math.max(NEAR, Math.floor(CUTS / centres.length / 4));
  const cuts = new Set([0]);
  for (const centre of centres)
    for (let i = -near; i <= near; i++) {
      const cut = centre + i * step;
      if (cut > 0 && cut <= length) cuts.add(cut);
    }
  return [...cuts].sort((a, b) => a - b);
}

/**
 * gain[k][j] = the largest gain of k clusters on the j first points, sum over clusters of (sum of members)^2 / members, and from[k][j] = the start of
 * the last cluster. The best start is monotone in j (the cost of an interval satisfies the quadrangle inequality), so each row takes O(n log n) by
 * divide and conquer.
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

/** Ends of the clusters of the j first points in k clusters, as points from the largest; the last is j. */
function clusterEnds({ from }: Clustering, k: number, j: number): number[] {
  const ends: number[] = [];
  for (let c = k, end = j; c > 0 && end > 0; c--) {
    ends.push(end);
    end = from[c]![end]!;
  }
  return ends.reverse();
}

/** For each j the best prefix up to it: argmax over i <= j of row[i]. */
function bestPrefix(row: Float64Array): Uint32Array {
  const best = new Uint32Array(row.length);
  for (let j = 1; j < row.length; j++) best[j] = row[j]! > row[best[j - 1]!]! ? j : best[j - 1]!;
  return best;
}

/** Clusters of both signs by their ends, as numbers of magnitudes from the largest, and how much their means reduce ||v||^2. */
interface Solution {
  readonly gain: number;
  readonly ends: readonly [plus: readonly number[], minus: readonly number[]];
}

/** The best K clusters of both signs together that end at points, with at most kappa magnitudes. */
function bestClusters(plus: Side, minus: Side, K: number, kappa: number): Solution {
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
  return {
    gain: best.gain,
    ends: [
      clusterEnds(plusClusters, best.k, best.plus).map((point) => plus.weights[point]!),
      clusterEnds(minusClusters, K - best.k, best.minus).map((point) => minus.weights[point]!),
    ],
  };
}

/** Solutions between ever finer cuts near the ends of the last, until cuts between single weights gain no more. */
function refine(
  plus: Magnitudes,
  minus: Magnitudes,
  K: number,
  kappa: number,
  coarse: Solution,
  run: number,
): Solution {
  let best = coarse;
  for (let step = run, round = 0; round < ROUNDS; round++) {
    const [ends, others] = best.ends;
    step = Math.ceil(step / FINER);
    // If kappa binds, one sign can only gain weights that the other gives up.
    const room = (side: readonly number[]): number => kappa - (side.at(-1) ?? 0);
    const solution = bestClusters(
      sideOf(plus, cutsNear([...ends, room(others)], step, plus.values.length)),
      sideOf(minus, cutsNear([...others, room(ends)], step, minus.values.length)),
      K,
      kappa,
    );
    const better = solution.gain - best.gain > PROGRESS * solution.gain;
    if (solution.gain > best.gain) best = solution;
    if (step === 1 && !better) break;
  }
  return best;
}

/** Far more rounds than seen. */
const ROUNDS = 100;
/** Relative gain below this is rounding. */
const PROGRESS = 1e-13;

/**
 * The nested codebook: c_1..c_K (at most K, none 0) that minimise ||v - theta||^2 over theta_i in {0, c_1, ..., c_K} with
 * ||theta||_0 <= kappa. On the line the zeros and the clusters are intervals, negative weights go to negative codes, so
 * the two signs are clustered apart by dynamic programming, O(K n log n), and the best split of K and kappa is taken.
 * Exact for up to 2^20 / K weights among the kappa largest of each sign. Beyond that neighbours in order are merged, and the
 * program runs again between finer cuts near the ends it found, down to single weights.
 * @param cells of the program's table. @returns the codes in ascending order. @throws RangeError on a NaN or an infinity.
 */
export function nestedCodebook(v: Float32Array, K: number, kappa: number, cells = TABLE_LIMIT): Float32Array {
  for (let i = 0; i < v.length; i++) if (!Number.isFinite(v[i])) rejectNonFinite(v);
  const [plus, minus] = ([1, -1] as const).map((sign) => new Magnitudes(descendingMagnitudes(v, sign, kappa))) as [
    Magnitudes,
    Magnitudes,
  ];
  const run = Math.max(1, Math.ceil(((plus.values.length + minus.values.length) * K) / cells));
  const coarse = bestClusters(sideOf(plus, evenCuts(plus, run)), sideOf(minus, evenCuts(minus, run)), K, kappa);
  const { ends } = run === 1 ? coarse : refine(plus, minus, K, kappa, coarse, run);
  const codes = [plus, minus].flatMap((side, s) =>
    ends[s]!.map((end, c) => {
      const start = ends[s]![c - 1] ?? 0;
      return ((s === 0 ? 1 : -1) * (side.sum(end) - side.sum(start))) / (end - start);
    }),
  );
  return Float32Array.from(codes).sort();
}

/**
 * The ternary scale: s >= 0 minimising ||v - theta||^2 over theta_i in {-s, 0, s} with ||theta||_0 <= kappa. With the k
 * largest magnitudes kept s is their mean S_k/k and saves S_k^2/k; the best k <= kappa is found on sorted magnitudes.
 */
export function ternaryScale(v: Float32Array, kappa: number): number {
  const kept = new Float32Array(v.length);
  keepLargest(v, kappa, kept);
  let count = 0;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== 0) kept[count++] = Math.abs(kept[i]!);
  const magnitudes = sortDescending(kept.subarray(0, count));
  let sum = 0;
  let best = 0;
  let scale = 0;
  for (let i = 0; i < count; i++) {
    sum += magnitudes[i]!;
    if ((sum * sum) / (i + 1) > best) {
      best = (sum * sum) / (i + 1);
      scale = sum / (i + 1);
    }
  }
  return Math.fround(scale);
}
