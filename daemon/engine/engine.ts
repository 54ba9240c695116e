/**
 * The engine interface: computes losses and gradients. There are two kinds, see docs/architecture.md: compiled (`engine/compiled`) and direct
 * (`engine/direct`). Each passes test/integration/engine-conformance.
 */
import type { LossSettings } from '../model/setup/lossSettings.js';
import type { Model } from '../model/model.js';
import type { Head, Loss } from '../model/setup/loss.js';

export interface EngineInfo {
  /** Stable id for the plan and the setting: "onnx-cpu", "onnx-webgpu", "tfjs-node-gpu", "tfjs-node", "tfjs-cpu"... */
  readonly id: string;
  readonly name: string;
  /** The processor: "CPU, 2 threads", "NVIDIA ... (CUDA)". */
  readonly device: string;
}

/** Whether an engine can run here, and why (not). */
export interface EngineProbe extends EngineInfo {
  readonly available: boolean;
  readonly reason: string;
}

/** A trainable tensor. Its weights lie at [offset, offset + size) of every flat vector of the session. */
export interface Parameter {
  /** The weight's name in the model file, "dense_1/kernel". */
  readonly name: string;
  readonly layer: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
  /** Kernels are prunable; biases and normalisation parameters are not. */
  readonly prunable: boolean;
}

export type { Loss };

/** The purpose of a session. 'inference' computes no gradient: the choice of an engine then compares and times predictions only. */
export type Purpose = 'training' | 'inference';

/** Distillation: how far a teacher's answers are the target of the session's own output. (Hinton, Vinyals & Dean 2015, section 2) */
export interface Taught {
  /** a in [0, 1]: the training loss is (1 - a) x the loss of the target + a x that of the teacher's answers. */
  readonly weight: number;
  /**
   * T > 0, for the cross-entropies: the loss of the teacher's answers is T^2 x the divergence from its probabilities at T to the model's at T. For other
   * losses 1: their targets are then the teacher's outputs.
   */
  readonly temperature: number;
}

/** An output of the model that is trained along with the session's own. */
export interface JointOutput {
  /** Its layer, by path or by name. */
  readonly output: string;
  readonly loss: Loss;
  readonly lossSettings?: LossSettings;
  readonly classification?: boolean;
  readonly fromLogits?: boolean;
  /** Factor of its loss in the joint loss, above 0. */
  readonly weight: number;
}

export interface SessionSpec {
  readonly loss: Loss;
  /** For the loss in training and evaluation alike; absent ones are Keras's defaults. */
  readonly lossSettings?: LossSettings;
  /** Whether errors are counted as wrong answers. Default: under the cross-entropies. */
  readonly classification?: boolean;
  /** The cross-entropy takes the model's output as logits, although the model has no softmax or sigmoid. Default false. */
  readonly fromLogits?: boolean;
  /** Samples per training step; the graph is compiled for exactly this many. */
  readonly batchSize: number;
  /**
   * Samples of a training step that are computed at once, a divisor of `batchSize`: the step's gradient is the mean over its parts. Only for models
   * without operations over the whole batch. Default `batchSize`.
   */
  readonly microBatch?: number;
  /**
   * The purpose of the session. Default training: opening it reports every part of the model that cannot be trained. For inference at most
   * `batchSize` samples are computed at once, and a training graph is made only on request.
   */
  readonly purpose?: Purpose;
  readonly seed: number;
  /** Output layer to train, if the model has several: it is predicted, and its error is the session's. */
  readonly output?: string;
  /**
   * Outputs that are trained along: the loss is then the sum over all of them of weight x loss (Keras's `loss_weights`), in training and evaluation
   * alike. Batches and sources write the targets of these outputs into buffers after those of the inputs, in this order.
   */
  readonly jointly?: readonly JointOutput[];
  /** Factor of the session's own output in that sum. Default 1. */
  readonly lossWeight?: number;
  readonly threads?: number;
  /**
   * For the training loss: a row (sample, or position of a sequence) has the weight of its class; the mean is still over all rows. One per value of
   * the output's last axis; [no, yes] if that is 1. `evaluate` is not weighted.
   */
  readonly classWeights?: readonly number[];
  /**
   * Batches then write the teacher's targets (`softened`) for the session's own output into a buffer after all others; sources do not. `evaluate` and
   * label smoothing concern the targets alone.
   */
  readonly taught?: Taught;
}

/** Copies rows `indices[from .. from+count)` of `rows`, each of `width` values, into the start of `out`. */
export type CopyRows = (
  rows: Float32Array,
  width: number,
  indices: Uint32Array,
  from: number,
  count: number,
  out: Float32Array,
) => void;

/**
 * Training batches in order. Fills one Float32Array per model input, one per jointly trained output, one with a teacher's targets if the session is
 * taught, and the target; deterministic given its state.
 */
export interface BatchStream {
  /** @param copyRows the engine's routine for rows in memory: faster than a loop, the same values. */
  next(inputs: readonly Float32Array[], target: Float32Array, copyRows?: CopyRows): void | Promise<void>;
}

/**
 * Samples to evaluate on, addressed by position. `read` writes samples [start, start + count) to the start of the buffers, which are those of a
 * batch.
 */
export interface SampleSource {
  readonly size: number;
  read(start: number, count: number, inputs: readonly Float32Array[], target: Float32Array): void | Promise<void>;
}

/** Contiguous weights [start, end) of the flat vector. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface TrainRequest {
  readonly batches: BatchStream;
  readonly steps: number;
  /** Learning rate of step i in [0, steps) of this call. */
  learningRate(i: number): number;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** l2 coefficient on prunable parameters' gradients; 0 for none. */
  readonly weightDecay: number;
  /**
   * Largest Euclidean norm of the loss's gradient over all weights that the mask lets move, before weight decay and penalty; a longer one is scaled to it.
   * Default: any.
   */
  readonly clipNorm?: number;
  /** L step: adds mu (w - target) to the gradient within `ranges`. target is flat, of the session's size. [P, eq. 4] */
  readonly penalty?: { readonly mu: number; readonly target: Float32Array; readonly ranges: readonly Range[] };
  /** Retraining: weights within `ranges` whose keep is 0 stay exactly 0, and so does their velocity. */
  readonly mask?: { readonly keep: Uint8Array; readonly ranges: readonly Range[] };
  readonly signal?: AbortSignal;
  /**
   * Called after every step, with the batch's mean loss including the model's own regularizers (without the penalty). Called in order; must be fast.
   */
  onStep?(i: number, loss: number): void;
}

export interface TrainSummary {
  /** Steps done: fewer than requested only when aborted. */
  readonly steps: number;
  readonly meanLoss: number;
  readonly aborted: boolean;
}

/** The session's own output for a batch: exactly the values that its error counts. Valid during the call alone. */
export interface EvaluatedBatch {
  /** Position of the first sample in the source. */
  readonly start: number;
  readonly samples: number;
  /** [samples, ...outputShape] flat, before the head; the buffer may be longer. */
  readonly values: Float32Array;
  readonly head: Head;
  /** The same shape. */
  readonly target: Float32Array;
  /** Of the rows: those of 0 are left out; null: all count. */
  readonly mask: Float32Array | null;
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** After every batch, with the samples done so far. */
  onProgress?(done: number): void;
  onBatch?(batch: EvaluatedBatch): void;
}

/** Of one output. */
export interface OutputResult {
  /** As named in the session's spec; null: the model's last. */
  readonly output: string | null;
  /** Factor of its loss in the joint loss. */
  readonly weight: number;
  readonly loss: number;
  readonly error: number;
  readonly absoluteError?: number;
}

export interface EvaluationResult {
  /** With jointly trained outputs: the weighted sum. `error` is that of the session's own output. */
  readonly loss: number;
  /**
   * Fraction of wrong samples; for a regression, the share of the targets' variance left unexplained, 1 - R^2: 0 is perfect, 1 as good as always
   * answering the mean.
   */
  readonly error: number;
  /** For a regression: the mean of |output - target|, in the targets' unit. */
  readonly absoluteError?: number;
  readonly samples: number;
  /** If outputs are trained jointly: each one's, the session's own first. */
  readonly outputs?: readonly OutputResult[];
}

/** One model on one engine. Flat vectors hold all trainable parameters, in `parameters` order, prunable ones first. */
export interface EngineSession {
  readonly info: EngineInfo;
  readonly parameters: readonly Parameter[];
  /** Total trainable weights; the prunable ones are [0, prunableSize). */
  readonly size: number;
  readonly prunableSize: number;
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputShape: readonly number[];
  /** Shapes of the targets of the jointly trained outputs. */
  readonly jointShapes: readonly (readonly number[])[];

  getWeights(): Promise<Float32Array>;
  setWeights(weights: Float32Array): Promise<void>;
  /** Non-trainable state (moving averages), flat; may be of length 0. */
  getState(): Promise<Float32Array>;
  setState(state: Float32Array): Promise<void>;
  getVelocity(): Promise<Float32Array>;
  setVelocity(velocity: Float32Array): Promise<void>;
  /** State of the generator of dropout masks and noise, as plain JSON. */
  getRandomState(): readonly number[];
  setRandomState(state: readonly number[]): void;

  /** Momentum SGD. Velocity persists between calls; `setVelocity(zeros)` restarts it. Rejects with UserError('diverged') on a non-finite loss. */
  train(request: TrainRequest): Promise<TrainSummary>;
  /**
   * Loss and error over all samples of a source: never over a part of them. Rejects with the signal's reason when it is
   * aborted before the last batch, and with UserError('data-invalid') where the source has no samples.
   */
  evaluate(source: SampleSource, options?: EvaluateOptions): Promise<EvaluationResult>;
  /** Outputs of `count` samples, [count, ...outputShape] flat. @param inputs of the model; further buffers are not read. */
  predict(inputs: readonly Float32Array[], count: number): Promise<Float32Array>;
  /**
   * Which rows of those outputs losses and errors count: 1 or 0 for each position of all their axes but the last one, flat. null if the output has no
   * mask: all count.
   * @param output 0: the session's own; from 1: the jointly trained ones.
   */
  outputMask(inputs: readonly Float32Array[], count: number, output?: number): Promise<Float32Array | null>;
  /**
   * The mean loss and its gradient on one batch of batchSize samples, without penalty (for conformance and diagnostics).
   * @param inputs as in a batch.
   */
  gradient(inputs: readonly Float32Array[], target: Float32Array): Promise<{ loss: number; gradient: Float32Array }>;
  dispose(): Promise<void>;
}

/** Properties of an engine that are known before it computes. `auto` and the checks use these, never its id. */
export interface EngineTraits {
  /**
   * Whether it draws dropout masks and noise from the session's generator in the order of the graph: then the same state of
   * the generator gives the same masks on every engine of this kind. 'own': in an order of its own.
   */
  readonly noise: 'shared' | 'own';
  /** How products are rounded: 'reduced' where hardware may take fewer than float32's 24 bits, as TF32 does (11). */
  readonly precision: 'float32' | 'reduced';
  /** Which engines the others are compared with: the 'first', and the 'second' if that does not open the model. */
  readonly reference?: 'first' | 'second';
  /** Some hundred times slower than compiled code: only small steps are tried on it. */
  readonly slow?: true;
  /** Its probe is a process of its own, which is worth starting early. */
  readonly probesAside?: true;
}

export interface EngineProvider extends EngineTraits {
  readonly id: string;
  /** Never throws; loads nothing heavy if it can decide without. */
  probe(): Promise<EngineProbe>;
  /** @throws UserError('model-unsupported') naming the layer, UserError('engine-failed'). */
  open(model: Model, spec: SessionSpec): Promise<EngineSession>;
}
