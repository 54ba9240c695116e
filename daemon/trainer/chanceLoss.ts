import type { Loss, SampleSource } from '../engine/engine.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** More samples, and more values of targets, would not change the estimate. */
const SAMPLES = 2048;
const VALUES = 1 << 20;
const CHUNK = 32;

const plogp = (p: number): number => (p > 0 ? p * Math.log(p) : 0);

/** Mean of `values` over all of `targets` after `each`; position i of a target is compared with mean[i % mean.length]. */
function meanOver(targets: Float32Array, mean: Float64Array, each: (difference: number) => number): number {
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += each(targets[i]! - mean[i % mean.length]!);
  return sum / targets.length;
}

function columnMeans(targets: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < targets.length; i++) mean[i % width]! += targets[i]!;
  return mean.map((sum) => (sum * width) / targets.length);
}

/**
 * Loss of always giving the same answer: the shares of the classes (for the cross-entropies: their entropy), the mean target
 * (for the others). What a network comes to that has lost all it knew.
 * @param source its first samples are read. @param outputShape of one target.
 * @returns the mean loss per sample, in the unit of the training loss; null without samples.
 */
export async function chanceLoss(
  source: SampleSource,
  inputShapes: readonly (readonly number[])[],
  outputShape: readonly number[],
  loss: Loss,
): Promise<number | null> {
  const size = sizeOf(outputShape);
  const samples = Math.min(source.size, SAMPLES, Math.max(1, Math.floor(VALUES / size)));
  if (samples === 0) return null;
  const targets = new Float32Array(samples * size);
  const inputs = inputShapes.map((shape) => new Float32Array(CHUNK * sizeOf(shape)));
  const chunk = new Float32Array(CHUNK * size);
  for (let start = 0; start < samples; start += CHUNK) {
    const count = Math.min(CHUNK, samples - start);
    await source.read(start, count, inputs, chunk);
    targets.set(chunk.subarray(0, count * size), start * size);
  }
  return lossOfMean(targets, size, outputShape.at(-1) ?? 1, loss);
}

function lossOfMean(targets: Float32Array, size: number, classes: number, loss: Loss): number {
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy': {
      const shares = columnMeans(targets, classes);
      const total = shares.reduce((sum, share) => sum + share, 0);
      return total > 0 ? -shares.reduce((sum, share) => sum + plogp(share / total), 0) : 0;
    }
    case 'binaryCrossentropy': {
      const shares = columnMeans(targets, classes);
      return -shares.reduce((sum, p) => sum + plogp(p) + plogp(1 - p), 0) / classes;
    }
    case 'meanSquaredError':
      return meanOver(targets, columnMeans(targets, size), (d) => d * d);
    case 'meanAbsoluteError':
      return meanOver(targets, columnMeans(targets, size), Math.abs);
    case 'huber':
      return meanOver(targets, columnMeans(targets, size), (d) => (Math.abs(d) <= 1 ? (d * d) / 2 : Math.abs(d) - 0.5));
  }
}
