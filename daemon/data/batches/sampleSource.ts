import type { Split } from '../dataset.js';
import { identityIndices } from './sampleStore.js';

/** A split addressed by position, as the engine's `SampleSource` (structurally): what `evaluate` reads. */
export function sampleSource(split: Split): {
  readonly size: number;
  read(start: number, count: number, inputs: readonly Float32Array[], target: Float32Array): void | Promise<void>;
} {
  let indices: Uint32Array | undefined;
  return {
    size: split.size,
    read(start, count, inputs, target) {
      indices ??= identityIndices(split.size);
      return split.gather(indices, start, count, inputs, target);
    },
  };
}
