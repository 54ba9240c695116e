import type { Split } from './dataset.js';
import { sizeOf } from './sampleStore.js';

/** What a model that ignores its inputs reaches on some targets. */
export interface ChanceLevel {
  readonly kind: 'classification' | 'regression';
  /** Classification: 1 - share of the most frequent class. Regression: the variance of the targets, as `loss`. */
  readonly error: number;
  /** Classification: the entropy of the class frequencies (nats). Regression: the variance, the mean squared error of the mean. */
  readonly loss: number;
  readonly samples: number;
}

/** Enough for a share to within 1%. */
const MAX_SAMPLES = 20_000;

/**
 * The chance level of a split's targets (of at most 20,000 samples, evenly spread).
 * @param classification targets are one-hot (or 0/1 for a single output); else numbers.
 */
export async function chanceLevel(
  split: Split,
  inputShapes: readonly (readonly number[])[],
  targetShape: readonly number[],
  classification: boolean,
): Promise<ChanceLevel> {
  const targets = await readTargets(split, inputShapes, sizeOf(targetShape));
  const samples = Math.min(split.size, MAX_SAMPLES);
  if (!classification) {
    const variance = meanVariance(targets, sizeOf(targetShape));
    return { kind: 'regression', error: variance, loss: variance, samples };
  }
  const shares = classShares(targets, sizeOf(targetShape) === 1 ? 1 : (targetShape.at(-1) ?? 1));
  const entropy = shares.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  return { kind: 'classification', error: 1 - Math.max(0, ...shares), loss: entropy, samples };
}

async function readTargets(
  split: Split,
  inputShapes: readonly (readonly number[])[],
  width: number,
): Promise<Float32Array> {
  const count = Math.min(split.size, MAX_SAMPLES);
  const chunk = Math.min(256, count);
  const inputs = inputShapes.map((shape) => new Float32Array(chunk * sizeOf(shape)));
  const target = new Float32Array(chunk * width);
  const spread = Uint32Array.from({ length: count }, (_, i) => Math.floor((i * split.size) / count));
  const out = new Float32Array(count * width);
  for (let start = 0; start < count; start += chunk) {
    const n = Math.min(chunk, count - start);
    await split.gather(spread, start, n, inputs, target);
    out.set(target.subarray(0, n * width), start * width);
  }
  return out;
}

function classShares(targets: Float32Array, depth: number): number[] {
  if (depth === 1) {
    const positive = targets.reduce((sum, t) => sum + t, 0) / Math.max(1, targets.length);
    return [1 - positive, positive];
  }
  const totals = new Array<number>(depth).fill(0);
  targets.forEach((t, i) => (totals[i % depth]! += t));
  const all = totals.reduce((sum, t) => sum + t, 0);
  return totals.map((t) => t / Math.max(1, all));
}

/** Variance of each output about its mean, averaged over outputs. */
function meanVariance(targets: Float32Array, width: number): number {
  const n = targets.length / width;
  if (n === 0) return 0;
  let total = 0;
  for (let i = 0; i < width; i++) {
    let mean = 0;
    for (let k = 0; k < n; k++) mean += targets[k * width + i]! / n;
    for (let k = 0; k < n; k++) total += (targets[k * width + i]! - mean) ** 2 / n;
  }
  return total / width;
}

/**
 * Whether a measured error is no better than chance: within three standard errors of it, or above 95% of it, on n samples.
 * For the warning that the reference has learnt nothing of this data (wrong data set, labels or input scale).
 */
export function atChance(error: number, chance: ChanceLevel, n: number): boolean {
  if (!Number.isFinite(error)) return true;
  const deviation =
    chance.kind === 'classification'
      ? Math.sqrt((chance.error * (1 - chance.error)) / Math.max(1, n))
      : // The relative standard error of a variance of n normal values.
        chance.error * Math.sqrt(2 / Math.max(1, n));
  return error >= Math.min(0.95 * chance.error, chance.error - 3 * deviation) && error > 0;
}
