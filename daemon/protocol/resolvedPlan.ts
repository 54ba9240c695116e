/** A plan with every default filled in: what a run folder keeps as `plan.json` and what the trainer executes. Paths are relative to the workspace. */
import * as z from 'zod';
import { Continuation } from './ending.js';
import { WorkspacePath } from './paths.js';
import { ARCHITECTURES, Budget, ClassOrder, RateSchedule } from './plan.js';
import { Remote } from './runs/runOn.js';

/** Methods that a run can be compared with, at equal budget and epochs. */
export const BASELINES = ['magnitude', 'gradual'] as const;
export type Baseline = (typeof BASELINES)[number];

/** Sections of a plan with a learning rate. */
export const RATED = ['reference', 'training', 'retrain'] as const;

const TrainingSettings = z.strictObject({
  batchSize: z.int().min(1),
  /** Samples computed at once, if a whole batch does not fit into memory: a divisor of it. */
  microBatch: z.int().min(1).optional(),
  learningRate: z.number().positive(),
  // Runs of earlier versions have neither this nor a warm-up.
  learningRateSchedule: RateSchedule.default('exponential'),
  decay: z.number().positive(),
  decayMode: z.enum(['iteration', 'epoch']),
  warmup: z.number().min(0).default(0),
  momentum: z.number(),
  nesterov: z.boolean(),
  weightDecay: z.number().min(0),
  /** Absent: gradients of any length. */
  clipNorm: z.number().positive().optional(),
});
export type TrainingSettings = z.infer<typeof TrainingSettings>;

export const ResolvedData = z.strictObject({
  source: z.string().describe('A built-in name or a path relative to the workspace.'),
  format: z.enum(['idx', 'csv', 'npy', 'npz', 'images', 'parquet', 'module']).nullable(),
  inputs: z.union([z.array(z.string()), z.record(z.string(), z.array(z.string()))]).nullable(),
  labels: z
    .union([z.array(z.string()), z.literal(false)])
    .nullable()
    .describe('false: none are read.'),
  test: z.string().nullable(),
  validation: z.number().min(0).describe('A share below 1, or a count.'),
  limit: z.int().nullable(),
  scale: z.union([z.number(), z.enum(['unit', 'symmetric', 'signed', 'unsigned', 'standard', 'none', 'auto'])]),
  mean: z.enum(['image', 'channel', 'none']),
  augment: z.strictObject({ flip: z.boolean(), shift: z.int() }),
  // Runs of earlier versions have neither.
  classes: z.union([ClassOrder, z.array(z.string())]).default('auto'),
  classWeights: z
    .union([z.literal('balanced'), z.record(z.string(), z.number())])
    .nullable()
    .default(null),
});
export type ResolvedData = z.infer<typeof ResolvedData>;

/** Settings whose default depends on the data and the available memory. */
export const OPEN_SETTINGS = [
  'training.batchSize',
  'retrain.batchSize',
  'reference.batchSize',
  'schedule.epochs',
  'schedule.firstEpochs',
  'retrain.epochs',
  'reference.epochs',
] as const;
export type OpenSetting = (typeof OPEN_SETTINGS)[number];

/** Several budgets in one warm-started run, instead of the one of the plan's only task. */
const ResolvedPath = z.strictObject({
  budgets: z.array(Budget).min(1).describe('Large to small, of one kind.'),
  /** Fraction of the mu schedule at which every budget after the first begins, in [0, 1). */
  warmStart: z.number().min(0).max(1),
  /** Absolute; null: not bounded by the reference's. */
  maxErrorIncrease: z.number().min(0).nullable(),
  /** Absolute; null: no such bound. Without either bound, only the curve is computed. Runs of earlier versions have none. */
  maxError: z.number().min(0).nullable().default(null),
  /** Most budgets that the search may try beyond the listed ones. */
  refinements: z.int().min(0),
});
export type ResolvedPath = z.infer<typeof ResolvedPath>;

export const ResolvedPlan = z.strictObject({
  name: z.string().describe('The plan file without ".prune.json".'),
  planPath: WorkspacePath.nullable(),
  model: z.union([z.strictObject({ path: WorkspacePath }), z.strictObject({ architecture: z.enum(ARCHITECTURES) })]),
  data: ResolvedData,
  /** Each prunable layer is in at most one task; names are exact. */
  tasks: z.array(z.strictObject({ name: z.string(), layers: z.array(z.string()).min(1), budget: Budget })).min(1),
  /** "reference" (from `lc-prune train`) ends after training the reference: its result is the reference. */
  method: z.enum(['lc', 'magnitude', 'gradual', 'reference']),
  schedule: z.strictObject({
    mu0: z.number().positive(),
    a: z.number(),
    iterations: z.int().min(1),
    multipliers: z.enum(['AL', 'QP']),
    epochs: z.number().positive(),
    firstEpochs: z.number().positive(),
    tolerance: z.number(),
    stableIterations: z.int(),
  }),
  path: ResolvedPath.optional(),
  /** Baselines that run after it and are shown beside it. */
  compare: z.array(z.enum(BASELINES)).optional(),
  /** Of a baseline: the name of the run it is compared with. */
  baselineOf: z.string().optional(),
  training: TrainingSettings,
  retrain: TrainingSettings.extend({ epochs: z.number().min(0) }),
  reference: TrainingSettings.extend({ epochs: z.number().min(0) }),
  /** Settings that the plan leaves open: they have defaults until the run starts, and the chosen values afterwards. */
  open: z.array(z.enum(OPEN_SETTINGS)).optional(),
  /** Sections whose learning rates the run still has to choose; it then writes the rates here and removes this key. */
  openRates: z.array(z.enum(RATED)).optional(),
  /** Absent: the labels alone are the target. Runs of earlier versions have none. */
  distill: z
    .strictObject({
      weight: z.number().min(0).max(1),
      /** null: the default of the loss. */
      temperature: z.number().positive().nullable(),
    })
    .optional(),
  output: z.string().nullable(),
  /**
   * Paths of the outputs that are trained together with it: those that the file has losses for, and once the run has started, the ones among them
   * that the data has targets for. Absent: none, as in runs of earlier versions.
   */
  jointly: z.array(z.string()).min(1).optional(),
  /** Exact names of layers that the file freezes and the run trains. Runs of earlier versions have none. */
  unfreeze: z.array(z.string()).default([]),
  engine: z.string(),
  seed: z.int(),
  /** Absent: a process of the machine that starts it. */
  runOn: Remote.optional(),
  /** Changes of engine, and crashes after which the run continued, in order. */
  continuations: z.array(Continuation).optional(),
  /** sha256 of the model's files and of the data set's content, filled in when the run starts. */
  modelHash: z.string().nullable(),
  dataHash: z.string().nullable(),
});
export type ResolvedPlan = z.infer<typeof ResolvedPlan>;
