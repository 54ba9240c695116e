import { columnMeans, type RowMask } from '../data/countedRows.js';
import type { EngineSession, Loss, SampleSource } from '../engine/engine.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** More samples, and more values of targets, would not change the estimate. */
const SAMPLES = 2048;
const VALUES = 1 << 20;
const CHUNK = 32;

const plogp = (p: number): number => (p > 0 ? p * Math.log(p) : 0);

interface Targets {
  readonly values: Float32Array;
  /** Values of one sample, and of one row of it. */
  readonly size: number;
  readonly width: number;
  readonly mask: RowMask;
}

/** Mean over the values that count, after `each` of their differences from the mean target. */
function meanOver({ values, size, width, mask }: Targets, each: (difference: number) => number): number {
  const mean = columnMeans(values, size, width, mask);
  let [sum, counted] = [0, 0];
  values.forEach((value, i) => {
    if (mask?.[Math.floor(i / width)] === 0) return;
    sum += each(value - mean[i % size]!);
    counted++;
  });
  return sum / Math.max(1, counted);
}

/**
 * Loss of always giving the same answer: the shares of the classes (for the cross-entropies: their entropy), the mean target
 * (for the others). What a network comes to that has lost all it knew.
 * @param source its first samples are read. @param session of the network; rows that its mask leaves out do not count.
 * @returns the mean loss per sample, in the unit of the training loss; null without samples.
 */
export async function chanceLoss(
  source: SampleSource,
  session: Pick<EngineSession, 'inputShapes' | 'outputShape' | 'outputMask'>,
  loss: Loss,
): Promise<number | null> {
  const { inputShapes, outputShape } = session;
  const size = sizeOf(outputShape);
  const samples = Math.min(source.size, SAMPLES, Math.max(1, Math.floor(VALUES / size)));
  if (samples === 0) return null;
  const width = outputShape.at(-1) ?? 1;
  const rows = size / width;
  const values = new Float32Array(samples * size);
  let mask: Float32Array | null = null;
  const inputs = inputShapes.map((shape) => new Float32Array(CHUNK * sizeOf(shape)));
  const chunk = new Float32Array(CHUNK * size);
  for (let start = 0; start < samples; start += CHUNK) {
    const count = Math.min(CHUNK, samples - start);
    await source.read(start, count, inputs, chunk);
    values.set(chunk.subarray(0, count * size), start * size);
    const counted = await session.outputMask(inputs, count);
    if (counted) (mask ??= new Float32Array(samples * rows)).set(counted, start * rows);
  }
  return lossOfMean({ values, size, width, mask }, loss);
}

function lossOfMean(targets: Targets, loss: Loss): number {
  const sharesOf = ({ values, width, mask }: Targets) => columnMeans(values, width, width, mask);
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy': {
      const shares = sharesOf(targets);
      const total = shares.reduce((sum, share) => sum + share, 0);
      return total > 0 ? -shares.reduce((sum, share) => sum + plogp(share / total), 0) : 0;
    }
    case 'binaryCrossentropy': {
      const shares = sharesOf(targets);
      return -shares.reduce((sum, p) => sum + plogp(p) + plogp(1 - p), 0) / targets.width;
    }
    case 'meanSquaredError':
      return meanOver(targets, (d) => d * d);
    case 'meanAbsoluteError':
      return meanOver(targets, Math.abs);
    case 'huber':
      return meanOver(targets, (d) => (Math.abs(d) <= 1 ? (d * d) / 2 : Math.abs(d) - 0.5));
  }
}
