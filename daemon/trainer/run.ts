/** The interface between the loops and their surroundings: nothing here depends on files or processes. */
import type { BatchStream, EngineSession, Range, SampleSource } from '../engine/engine.js';
import type { CompressionTask } from '../lc/compression.js';
import type { Evaluation, PathAnswer, UntimedRunEvent } from '../protocol/events.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { Control } from './process/control.js';
import type { RunState } from './state.js';

/** Shuffled training batches whose order can be saved and restored. */
export interface Batches extends BatchStream {
  readonly stepsPerEpoch: number;
  /** Plain JSON. */
  readonly state: unknown;
  restore(state: unknown): void;
  /** Back to the beginning, whatever was restored. */
  rewind(): void;
  /** Loss of a constant answer to what these batches teach, if it is not the run's: known once the first batch is there; null: unknown. */
  readonly chanceLoss?: number | null;
}

/** The one engine session in use. A request for another one opens it, copies all state, and closes the old one. */
export interface Sessions {
  /** @param taught whether it learns from the reference, in a run with distillation; default: as the one in use. */
  use(batchSize: number, taught?: boolean): Promise<EngineSession>;
}

/** The evaluation sets; null if the data has no such part. `train` is a fixed seeded subset of the training set. */
export interface EvaluationSets {
  readonly train: SampleSource;
  readonly validation: SampleSource | null;
  readonly test: SampleSource | null;
}

/** The compressed part of the model under one budget. */
export interface Tasks {
  readonly tasks: readonly CompressionTask[];
  /** Number of weights the budget keeps, over all tasks; null if the budget does not determine it (penalty forms, radii, FLOPs...). */
  readonly kappa: number | null;
  /** For users: which of their budgets' defaults did not fit. */
  readonly notes: readonly string[];
  /** Whether retraining with the support fixed keeps within the budget; not for codebooks and norms of values. */
  readonly retrainable: boolean;
  /**
   * The tasks of gradual pruning at a share [0, 1] of its ramp.
   * @throws UserError('plan-invalid') if the budget is not a number of weights.
   */
  gradual(progress: number): readonly CompressionTask[];
}

/** A prunable layer that a task covers, for the per-layer counts. */
export interface PrunedLayer {
  readonly layer: string;
  readonly ranges: readonly Range[];
}

export interface Outcome {
  /** The result: theta, retrained. Flat, of the session's size, with its non-trainable state. */
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
  readonly reference: Evaluation;
  readonly theta: Evaluation;
  readonly retrained: Evaluation;
  /** Error of the result on the part that is held out from training and reporting alike, by which runs are compared; null: there is none. */
  readonly decision: number | null;
  /** For a path: why the result is this one of its points. */
  readonly path?: PathAnswer;
}

/** The numbers that determine the number of training steps. */
export type Planned = Pick<Run, 'plan' | 'batches' | 'tasks'>;

export interface Run {
  readonly plan: Pick<ResolvedPlan, 'method' | 'schedule' | 'training' | 'retrain' | 'reference' | 'path'>;
  readonly sessions: Sessions;
  /** Batches of a phase: the same phase, iteration and batch size always give the same order. */
  batches(batchSize: number, phase: string): Batches;
  readonly sets: EvaluationSets;
  /** @param budget replaces the plan's; null: as planned. */
  tasks(budget: Budget | null): Tasks;
  readonly layers: readonly PrunedLayer[];
  /** Error of always answering the most frequent class, or the mean of a regression; null if it is undefined. */
  readonly chanceError: number | null;
  /** Mean loss of a constant answer; null: unknown, then no loss is too high. */
  readonly chanceLoss: number | null;
  /** Errors are shares of the targets' variance, not of wrong samples. */
  readonly regression?: boolean;
  /** The data has no labels: the reference's answers are the targets of every part in `sets`. */
  readonly unlabelled?: boolean;
  readonly control: Control;
  /** Milliseconds between checkpoints inside a phase. */
  readonly checkpointMs: number;
  /** Milliseconds, any origin. */
  clock(): number;
  log(event: UntimedRunEvent): void;
  /** Logs the `start` event again after a pause. */
  logStart(resumed: boolean): void;
  /** Makes a checkpoint durable. */
  save(state: RunState): Promise<void>;
  /** Called once with a freshly trained reference. */
  keepReference(weights: Float32Array, statistics: Float32Array): Promise<void>;
  /** Stores the model of a finished point of a path. @returns the bytes of its sparse package; null if it has none. */
  keepPoint(point: number, weights: Float32Array, statistics: Float32Array): Promise<number | null>;
  /** Durable states of a path by name, for later points to start from. Writing under the same name replaces the state. */
  savePathState(name: string, state: RunState): Promise<void>;
  loadPathState(name: string): Promise<RunState>;
}
