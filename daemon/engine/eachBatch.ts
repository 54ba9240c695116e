import { UserError } from '../protocol/errors.js';
import type { EvaluateOptions, SampleSource } from './engine.js';

/**
 * Reads a source batch by batch, in order, and computes each: the loop of every engine's `evaluate`.
 * @param buffers of at least min(size, source.size) samples; `size` is the number of samples of a full batch.
 * @param compute of the first `count` samples in the buffers; `start` is the position of the first in the source.
 * @throws UserError('data-invalid') if the source has no samples; the signal's reason once it is aborted.
 */
export async function eachBatch(
  source: SampleSource,
  size: number,
  { inputs, target }: { readonly inputs: readonly Float32Array[]; readonly target: Float32Array },
  { signal, onProgress }: EvaluateOptions,
  compute: (count: number, start: number) => Promise<void>,
): Promise<void> {
  if (source.size === 0)
    throw new UserError('data-invalid', 'there are no samples to evaluate on; give data that has some');
  for (let done = 0; done < source.size;) {
    signal?.throwIfAborted();
    const count = Math.min(size, source.size - done);
    await source.read(done, count, inputs, target);
    await compute(count, done);
    done += count;
    onProgress?.(done);
  }
}
