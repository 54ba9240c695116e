import { samplesAtOnce } from '../../data/batches/samplesAtOnce.js';
import type { EngineSession, SampleSource } from '../../engine/engine.js';
import { sizeOf } from '../../protocol/shape.js';

const MOST_AT_ONCE = 256;

/**
 * Error of always answering the most frequent class of a source.
 * @param session whose targets are [classes] one-hot, or [1] for 0 and 1; samples that its mask leaves out do not count.
 * @returns a fraction; null if the targets are neither a single class nor shares of classes, or all of one class: a constant answer then has no
 * error.
 */
export async function chanceError(
  source: SampleSource,
  session: Pick<EngineSession, 'inputShapes' | 'outputShape' | 'outputMask'>,
): Promise<number | null> {
  const { inputShapes, outputShape } = session;
  const [classes] = outputShape;
  if (outputShape.length !== 1 || classes === undefined || source.size === 0) return null;
  const chunk = samplesAtOnce(inputShapes, MOST_AT_ONCE);
  const inputs = inputShapes.map((shape) => new Float32Array(chunk * sizeOf(shape)));
  const target = new Float32Array(chunk * classes);
  const counts = new Array<number>(Math.max(2, classes)).fill(0);
  for (let start = 0; start < source.size; start += chunk) {
    const count = Math.min(chunk, source.size - start);
    await source.read(start, count, inputs, target);
    const mask = await session.outputMask(inputs, count);
    for (let i = 0; i < count; i++) {
      if (mask?.[i] === 0) continue;
      const own = target.subarray(i * classes, (i + 1) * classes);
      // Several yes-no answers, or numbers, have no most frequent class.
      if (classes > 1 && Math.abs(own.reduce((sum, share) => sum + share, 0) - 1) > 1e-3) return null;
      counts[classes === 1 ? Number(own[0]! >= 0.5) : own.indexOf(Math.max(...own))]! += 1;
    }
  }
  const all = counts.reduce((sum, n) => sum + n, 0);
  const most = Math.max(...counts);
  return most === all ? null : 1 - most / all;
}
