import type { Head } from '../../model/setup/loss.js';
import type { Graph } from '../../network/ir.js';
import type { LossSpec, TrainedOutput } from '../loss/jointLoss.js';

/** The outputs that are recorded, and their losses, as in SessionSpec. */
export interface GraphSpec extends LossSpec {
  /** Samples per batch of the training graph; of an inference graph, the most at once. */
  readonly batchSize: number;
  /** Samples of the training graph if a batch is computed in parts. */
  readonly microBatch?: number;
  readonly purpose?: 'training' | 'inference';
}

export interface GraphWeight {
  readonly name: string;
  readonly layer: string;
  readonly shape: readonly number[];
  readonly prunable: boolean;
}

/** A model as two graphs: what an executor needs to train and evaluate it. */
export interface ModelGraphs {
  /**
   * Records a training step. It gives the mean loss, the gradient of each trainable weight that a trained output depends on,
   * and the next states. @throws as `graphsOf`.
   */
  training(): Promise<Graph>;
  /**
   * Gives the outputs before their heads. The caller applies softmax or sigmoid to get the model's own output, unless that is logits itself.
   * An output that carries a mask has a second output of role `mask`, which is 1 for each row that counts.
   */
  readonly inference: Graph;
  /** Samples per batch of the inference graph: `mostSamples`, or fewer so that its largest tensor stays below 16 MB. */
  readonly inferenceBatchSize: number;
  /** The output that is trained, then those that are trained jointly. */
  readonly outputs: readonly ComputedOutput[];
  /** Trainable weights, in the model's order. */
  readonly parameters: readonly GraphWeight[];
  /** All other weights: moving averages, which training changes without a gradient, and frozen weights. */
  readonly states: readonly GraphWeight[];
  /** Shape without the batch axis. */
  readonly inputShapes: readonly (readonly number[])[];
}

export interface ComputedOutput {
  readonly trained: TrainedOutput;
  readonly head: Head;
  /** Shape without the batch axis. */
  readonly shape: readonly number[];
}

/** Number of values in the largest tensor of an inference graph. */
const largestTensor = 2 ** 22;

/**
 * Samples per batch of an inference graph: as many as keep its largest tensor below 16 MB, but at least one.
 * @param perSample values of the largest tensor for one sample.
 */
export function inferenceBatch({ purpose, batchSize }: GraphSpec, perSample: number): number {
  const most = purpose === 'inference' ? Math.min(512, batchSize) : 512;
  return Math.min(most, Math.max(1, Math.floor(largestTensor / Math.max(1, perSample))));
}
