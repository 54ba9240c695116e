import type { Head } from '../../model/setup/loss.js';
import type { Graph } from '../../network/ir.js';
import type { LossSpec, TrainedOutput } from '../loss/jointLoss.js';

/** The outputs and their losses as SessionSpec has them. */
export interface GraphSpec extends LossSpec {
  /** Samples per batch of the training graph; for inference, the most there are at once. */
  readonly batchSize: number;
  /** Samples of the training graph, where a batch is computed in parts. */
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
   * Records a training step: it gives the mean loss, the gradient of each trainable weight that a trained output depends on,
   * and the next states. @throws as `graphsOf`.
   */
  training(): Promise<Graph>;
  /**
   * Gives the outputs before their heads: apply softmax or sigmoid for the model's own output, unless that is logits itself.
   * Where one carries a mask, another output of role `mask`, 1 for each row that counts.
   */
  readonly inference: Graph;
  /** Samples per batch of the inference graph: what keeps its largest tensor below 16 MB, and `mostSamples` at most. */
  readonly inferenceBatchSize: number;
  /** The output that is trained, and those that are trained jointly. */
  readonly outputs: readonly ComputedOutput[];
  /** Trainable weights, in the model's order. */
  readonly parameters: readonly GraphWeight[];
  /** All others: moving averages, which training changes without a gradient, and frozen weights. */
  readonly states: readonly GraphWeight[];
  /** Without the batch axis. */
  readonly inputShapes: readonly (readonly number[])[];
}

export interface ComputedOutput {
  readonly trained: TrainedOutput;
  readonly head: Head;
  /** Without the batch axis. */
  readonly shape: readonly number[];
}

/** Values of the largest tensor of an inference graph. */
const largestTensor = 2 ** 22;

/**
 * Samples per batch of an inference graph: as many as keep its largest tensor below 16 MB, one at least.
 * @param perSample values of the largest tensor, of one sample.
 */
export function inferenceBatch({ purpose, batchSize }: GraphSpec, perSample: number): number {
  const most = purpose === 'inference' ? Math.min(512, batchSize) : 512;
  return Math.min(most, Math.max(1, Math.floor(largestTensor / Math.max(1, perSample))));
}
