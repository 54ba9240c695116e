/** Samples of a plan's data in the orders that its seed draws. */
import { sizeOf } from '../../protocol/shape.js';
import { ShuffledBatches } from '../../data/batches/batches.js';
import { sampleSource } from '../../data/batches/sampleSource.js';
import type { Split } from '../../data/dataset.js';
import type { EngineSession, SampleSource } from '../../engine/engine.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { drawSamples } from '../dataMapping.js';

/** Each training phase has its own data order. */
const ORDER_SEEDS: Record<string, number> = { reference: 0x1000_0000, 'l-step': 0, prune: 0, retrain: 0x2000_0000 };

/** The seed of a phase's order. @param phase reference, l-step, prune or retrain. */
export const orderSeed = ({ seed }: ResolvedPlan, phase: string): number => (seed ^ ORDER_SEEDS[phase]!) >>> 0;

/** A fixed subset of a split, drawn by the seed, in the split's order. */
export function subset(split: Split, size: number, seed: number): SampleSource {
  if (split.size <= size) return sampleSource(split);
  const chosen = drawSamples(split, size, seed);
  return { size, read: (start, count, inputs, target) => split.gather(chosen, start, count, inputs, target) };
}

/** The first of the batches, of `size` samples each, in buffers of its own. */
export async function firstBatch(batches: ShuffledBatches, session: EngineSession, size: number) {
  const { inputShapes, jointShapes, outputShape } = session;
  const buffer = (shape: readonly number[]) => new Float32Array(size * sizeOf(shape));
  const batch = { inputs: [...inputShapes, ...jointShapes].map(buffer), target: buffer(outputShape) };
  await batches.next(batch.inputs, batch.target);
  return batch;
}
