import type { SampleSource } from '../engine/engine.js';

const CHUNK = 256;
const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * Error of always answering the most frequent class of a source.
 * @param outputShape of one target: [classes] one-hot, or [1] for 0 and 1.
 * @returns a fraction; null where the targets are no single class, nor shares of classes.
 */
export async function chanceError(
  source: SampleSource,
  inputShapes: readonly (readonly number[])[],
  outputShape: readonly number[],
): Promise<number | null> {
  const [classes] = outputShape;
  if (outputShape.length !== 1 || classes === undefined || source.size === 0) return null;
  const inputs = inputShapes.map((shape) => new Float32Array(CHUNK * size(shape)));
  const target = new Float32Array(CHUNK * classes);
  const counts = new Array<number>(Math.max(2, classes)).fill(0);
  for (let start = 0; start < source.size; start += CHUNK) {
    const count = Math.min(CHUNK, source.size - start);
    await source.read(start, count, inputs, target);
    for (let i = 0; i < count; i++) {
      const own = target.subarray(i * classes, (i + 1) * classes);
      // Several yes-no answers, or numbers, have no most frequent class.
      if (classes > 1 && Math.abs(own.reduce((sum, share) => sum + share, 0) - 1) > 1e-3) return null;
      counts[classes === 1 ? Number(own[0]! >= 0.5) : own.indexOf(Math.max(...own))]! += 1;
    }
  }
  return 1 - Math.max(...counts) / source.size;
}
