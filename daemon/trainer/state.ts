/** The complete state of a run: what a checkpoint stores, so that the run continues bit for bit. */
import * as z from 'zod';
import { Agreement, Evaluation, PathPoint } from '../protocol/events.js';
import { Budget } from '../protocol/plan.js';
import { freshGuard, GuardState } from './judge/lossGuard.js';

/** The phases of a run that train. C steps and evaluations between them are recomputed from the state at their end. */
export const TrainingPhase = z.enum(['reference', 'l-step', 'prune', 'retrain']);
export type TrainingPhase = z.infer<typeof TrainingPhase>;

const words = z.array(z.number());

/** The position of a path run. */
export const PathProgress = z.object({
  /** The current point, and the one it started from. Its budget is the run's `budget`. */
  point: z.int().min(0),
  from: z.int().min(0).nullable(),
  /** The LC iteration at which it ended: the stop test may end it early. */
  lastIteration: z.int().min(0),
  /** `elapsed` when it began. */
  elapsed: z.number(),
  /** Error of the reference on the deciding part. */
  reference: z.number().nullable(),
  finished: z.array(PathPoint),
});
export type PathProgress = z.infer<typeof PathProgress>;

/** The position of a run, as plain JSON. Steps count training batches, times are milliseconds of work (without pauses). */
export const Progress = z.object({
  phase: TrainingPhase,
  /** LC iteration j, or pruning step of gradual pruning; 0 elsewhere. */
  iteration: z.int().min(0),
  /** Steps done in this phase (of this iteration). */
  step: z.int().min(0),
  /** Steps done in the whole run, repeated ones included. */
  totalStep: z.int().min(0),
  elapsed: z.number(),
  /** `elapsed` and `totalStep` when the first LC iteration began, for the ETA, and `elapsed` when this one began. */
  loopElapsed: z.number(),
  loopStep: z.int(),
  iterationElapsed: z.number(),
  /** Factor on the learning rate: halved at every divergence; it recovers slowly. */
  rateScale: z.number().positive(),
  /** Consecutive divergences without a finished phase in between. */
  retries: z.int().min(0),
  /** The batch losses of this phase. Checkpoints of earlier versions have none. */
  guard: GuardState.default(freshGuard),
  /** In retraining: the lowest loss so far, and at its beginning (null: not finite), and the epochs done by then. */
  best: z
    .object({ loss: z.number().nullable(), epoch: z.number(), start: z.number().nullable() })
    .nullable()
    .default(null),
  /** ||w - theta|| at the last LC iteration, and its ratio to ||w||. */
  agreement: Agreement.nullable().default(null),
  /** LC iterations in a row with a stable support. */
  stable: z.int().min(0),
  /** Set by the user during the run; replaces the plan's budget. */
  budget: Budget.nullable(),
  /** Set by the user; takes effect at the next LC iteration. */
  pendingBudget: Budget.nullable(),
  reference: Evaluation.nullable(),
  theta: Evaluation.nullable(),
  /** Data order within this phase, and the engine's generator: now, and at the last C step. */
  batches: z.unknown(),
  random: words,
  start: z.object({ batches: z.unknown(), random: words }),
  path: PathProgress.optional(),
});
export type Progress = z.infer<typeof Progress>;

/** Flat vectors of the session's size (`statistics`: of the length of its non-trainable state). */
export interface StateVectors {
  readonly w: Float32Array;
  readonly velocity: Float32Array;
  readonly statistics: Float32Array;
  /** Valid within the tasks' ranges. */
  readonly theta: Float32Array;
  /** Length 0 without multipliers (quadratic penalty, baselines). */
  readonly lambda: Float32Array;
  /** w and the statistics where this phase began: restored when the phase diverges. */
  readonly startW: Float32Array;
  readonly startStatistics: Float32Array;
  /** In retraining: the best network so far; length 0 elsewhere. */
  readonly bestW: Float32Array;
  readonly bestStatistics: Float32Array;
}

export interface RunState {
  readonly progress: Progress;
  readonly vectors: StateVectors;
}
