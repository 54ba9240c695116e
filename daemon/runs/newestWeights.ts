import { latestCheckpoint } from '../trainer/checkpoint.js';
import { runPaths } from '../trainer/process/runFolder.js';

export interface NewestWeights {
  /** Flat, all trainable parameters, prunable ones first in the model's order. */
  readonly w: Float32Array;
  readonly theta: Float32Array;
  /** Training steps done when they were saved. */
  readonly step: number;
}

/** w and theta of the newest checkpoint; null before the first. @throws UserError('run-invalid'). */
export async function newestWeights(folder: string): Promise<NewestWeights | null> {
  const checkpoint = await latestCheckpoint(runPaths(folder).checkpoints);
  if (!checkpoint) return null;
  const { progress, vectors } = checkpoint.state;
  return { w: vectors.w, theta: vectors.theta, step: progress.totalStep };
}
