/**
 * The plan file (`*.prune.json`): what to prune, on which data, to which budget, and how.
 * These zod types are the single source of the file's TypeScript type, its validator and its published JSON Schema
 * (`schemas/prune.schema.json`, written by `npm run schemas`).
 */
import * as z from 'zod';
import { RATE_SCHEDULES, type RateSchedule as RateScheduleName } from '../lc/learningRate.js';
import { Budget, ByteSize, Share } from './budget.js';
import { RunOn } from './runs/runOn.js';

export { Budget };

const positive = z.number().positive();
const fraction = z.number().min(0).max(1);

export const Task = z.strictObject({
  layers: z
    .union([z.string(), z.array(z.string()).min(1)])
    .describe('Layer names or globs ("conv*"); "*" is every prunable layer left.'),
  budget: Budget,
});
export type Task = z.infer<typeof Task>;

/** Architectures the product can build and train itself when there is no reference model. */
export const ARCHITECTURES = [
  'lenet300',
  'lenet300-tanh',
  'lenet5',
  'resnet20',
  'resnet32',
  'resnet56',
  'resnet110',
] as const;

/** How a learning rate moves over its clock (`decayMode`). */
export const RateSchedule = z.enum(Object.keys(RATE_SCHEDULES) as [RateScheduleName, ...RateScheduleName[]]);

export const Training = z.strictObject({
  batchSize: z
    .int()
    .min(1)
    .max(65536)
    .optional()
    .describe('Default 256, or what fits fewer samples and the memory there is.'),
  learningRate: positive
    .optional()
    .describe(
      'eta of the first step. Default 0.1, or less where a short test on the model at the start of the run says so; of "retrain": half of training\'s.',
    ),
  learningRateSchedule: RateSchedule.optional().describe(
    '"exponential": times "decay" (default). "constant". "cosine": to 0 along half a wave. "one-cycle": up from 1/25 for 30% of the phase, then down to almost 0.',
  ),
  decay: positive
    .optional()
    .describe(
      'Factor of the exponential schedule: per LC iteration (mode "iteration") or per epoch (mode "epoch"). Default 0.98.',
    ),
  decayMode: z
    .enum(['iteration', 'epoch'])
    .optional()
    .describe(
      'The clock of the schedule. "iteration": constant within an L step, falls per LC iteration (default). "epoch": restarted every L step, falls inside.',
    ),
  warmup: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Epochs for which the rate rises from a tenth at the beginning: of the first L step, the reference, retraining. Default 0.',
    ),
  momentum: fraction.optional().describe('Default 0.9.'),
  nesterov: z.boolean().optional().describe('Default true.'),
  weightDecay: z
    .number()
    .min(0)
    .optional()
    .describe('l2 coefficient added to the loss gradient of kernels. Default 0.'),
  clipNorm: positive
    .optional()
    .describe(
      "Largest norm of the loss's gradient over all weights: a longer one is scaled to it, before weight decay and penalty. Default: any.",
    ),
});

/** How labels are mapped to the model's classes; "auto": the mapping under which a given reference has the lowest loss, else the default. */
export const ClassOrder = z.enum([
  'auto',
  'stored',
  'from-one',
  'value',
  'text',
  'appearance',
  'reversed',
  'signs',
  'bits',
]);
export type ClassOrder = z.infer<typeof ClassOrder>;

/** The reference as a teacher of the networks that are trained after it. */
export const Distill = z.strictObject({
  weight: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'Share a of the reference in the training loss: (1 - a) L(labels) + a T^2 KL(reference, network). Default 0.5; of data without labels 1.',
    ),
  temperature: positive
    .optional()
    .describe(
      "T: both networks' logits are divided by it, so that small probabilities count. Only for cross-entropies. Default 2.",
    ),
});

const Epochs = { epochs: z.number().min(0).max(100000).optional() };

export const DataSource = z.union([
  z.string().describe('A built-in data set ("mnist", "fashion-mnist", "cifar10"), or a path to a file or a folder.'),
  z.strictObject({
    source: z.string().describe('A built-in name, or a path relative to the plan.'),
    format: z
      .enum(['idx', 'csv', 'npy', 'npz', 'images', 'parquet', 'module'])
      .optional()
      .describe('Default: from the name and content.'),
    inputs: z
      .union([z.string(), z.array(z.string()), z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))])
      .optional()
      .describe(
        'npz array, CSV or parquet columns that hold the input; of several inputs a list in their order, or { "input": "array", "other": ["column", "column"] }. Default: those named after the inputs, or of a usual name.',
      ),
    labels: z
      .union([z.string(), z.array(z.string()), z.literal(false)])
      .optional()
      .describe(
        'npz array, CSV or parquet column that holds the label; a second file for npy and idx. false: the data has no labels, or none are read; the reference then teaches ("distill").',
      ),
    test: z.string().optional().describe('A separate test set (path), of the same format.'),
    validation: z
      .union([fraction, z.int().min(0)])
      .optional()
      .describe('Part of the training set held out: a share, or a count. Default 0.'),
    limit: z.int().min(1).optional().describe('Use only the first N training samples.'),
    preprocess: z
      .strictObject({
        scale: z
          .union([z.number(), z.enum(['unit', 'symmetric', 'signed', 'unsigned', 'standard', 'none', 'auto'])])
          .optional()
          .describe(
            'Multiply inputs by a number; "unit" x/255, "symmetric" x/127.5-1, "signed" 2x-1, "unsigned" (x+1)/2, "standard" z-score of the training part, per feature or (with "mean": "channel") per channel. Default "auto".',
          ),
        mean: z.enum(['image', 'channel', 'none']).optional().describe('Subtract the training mean. Default "none".'),
      })
      .optional(),
    augment: z.strictObject({ flip: z.boolean().optional(), shift: z.int().min(0).max(32).optional() }).optional(),
    classes: z
      .union([ClassOrder, z.array(z.union([z.string(), z.number()])).min(2)])
      .optional()
      .describe(
        'Which label is which output of the model: the labels in the order of the outputs, or "stored" (the label is the class number), "from-one", "value" or "text" (sorted), "appearance" (order in the file), "reversed" (two classes), "signs" or "bits" (numbers 0 and 1 as -1 and 1, or back). Default "auto": by the loss of the reference.',
      ),
    classWeights: z
      .union([z.literal('balanced'), z.record(z.string(), z.number().min(0))])
      .optional()
      .describe(
        'Weight of each class in the training loss: "balanced" (inverse to its share of the training part), or an object from label to weight (others 1). The reported loss and error stay unweighted.',
      ),
  }),
]);
export type DataSource = z.infer<typeof DataSource>;

/** The settings of `lc-prune path`; `lc-prune run` uses only the plan's budget, and the goal in its place. */
export const PathSettings = z
  .strictObject({
    budgets: z
      .array(z.union([z.number().positive(), Share, ByteSize]))
      .min(1)
      .max(64)
      .optional()
      .describe(
        'The budgets, in the unit of the plan\'s: ["10%", "5%"] or ["40 kB", "20 kB"]. Default: evenly spaced.',
      ),
    points: z.int().min(1).max(64).optional().describe('How many budgets, where they are not listed. Default 8.'),
    maxErrorIncrease: Share.optional().describe(
      'Look for the smallest network whose error is at most this much above the reference, in absolute points: "0.5%".',
    ),
    maxError: Share.optional().describe(
      'Look for the smallest network whose error is at most this: "3%" is 97% right.',
    ),
    refinements: z
      .int()
      .min(0)
      .max(32)
      .optional()
      .describe('Budgets tried beyond the listed ones in that search. Default 4.'),
    warmStart: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe('How far up the mu schedule every budget after the first begins. Default 0.7.'),
  })
  .describe(
    'The error-against-budget curve that "lc-prune path" computes. With a goal ("maxErrorIncrease", "maxError") it may stand in place of "budget": the run then looks for the smallest network that meets it.',
  );
export type PathSettings = z.infer<typeof PathSettings>;

/** A goal in place of a budget: the largest error of the smallest network, in absolute points above the reference's or in total. */
export const ErrorBound = z.union([z.strictObject({ maxErrorIncrease: Share }), z.strictObject({ maxError: Share })]);
export type ErrorBound = z.infer<typeof ErrorBound>;

export const Plan = z.strictObject({
  $schema: z.string().optional(),
  model: z
    .union([z.string(), z.strictObject({ architecture: z.enum(ARCHITECTURES) })])
    .describe('The reference model: a path relative to the plan, or an architecture that is trained first.'),
  data: DataSource,
  budget: Budget.optional().describe(
    'One budget over every prunable layer. Give either "budget" or "tasks", or a goal in "path".',
  ),
  tasks: z.array(Task).min(1).optional().describe('Different budgets on different layers.'),
  exclude: z.array(z.string()).optional().describe('Layer names or globs never pruned.'),
  unfreeze: z
    .union([z.boolean(), z.array(z.string())])
    .optional()
    .describe(
      'Layers that the file freezes (trainable is false) and that are trained and pruned all the same: true for all of them, BatchNormalization included, or names and globs. Default false.',
    ),
  path: PathSettings.optional(),
  method: z
    .enum(['lc', 'magnitude', 'gradual'])
    .optional()
    .describe('Default "lc". The baselines get the same number of epochs.'),
  schedule: z
    .strictObject({
      mu0: positive.optional().describe('mu of the first LC iteration: mu_j = mu0 * a^j. Default 1e-4.'),
      a: z
        .number()
        .gt(1)
        .optional()
        .describe('Growth of mu per LC iteration. Default: so that it grows as much as by 1.15 in 40 iterations.'),
      muEnd: positive.optional().describe('mu of the last LC iteration, instead of "a", which then follows from it.'),
      iterations: z.int().min(1).max(10000).optional().describe('LC iterations at most.'),
      multipliers: z.enum(['AL', 'QP']).optional().describe('Augmented Lagrangian (default) or quadratic penalty.'),
      epochs: z
        .number()
        .positive()
        .max(10000)
        .optional()
        .describe('Epochs per L step. Default 3, or more where there are few samples.'),
      firstEpochs: z
        .number()
        .positive()
        .max(10000)
        .optional()
        .describe('Epochs of the first L step. Default: as the others.'),
      tolerance: z
        .number()
        .min(0)
        .optional()
        .describe('Stop when ||w-theta||/||w|| is below this and the support is stable. Default 0.03.'),
      stableIterations: z
        .int()
        .min(1)
        .optional()
        .describe('LC iterations for which at most a tenth of the kept weights may change. Default 2.'),
    })
    .optional(),
  training: Training.optional().describe('SGD settings of the L step.'),
  retrain: Training.extend(Epochs).optional().describe('Training of the survivors with the support fixed.'),
  reference: Training.extend(Epochs).optional().describe('Training of the reference when it is trained here.'),
  distill: Distill.optional().describe(
    "Distillation: the reference's answers are a part of the target in the L steps and in retraining. {} has the defaults.",
  ),
  output: z
    .string()
    .optional()
    .describe(
      'The output layer to train on, for a model with several outputs: its error is the one that the run is judged by. Default: the last.',
    ),
  otherOutputs: z
    .enum(['train', 'measure'])
    .optional()
    .describe(
      'Outputs that share layers with the trained one: "train" (default) trains those along that the file has a loss and the data targets for, the loss being the sum by the file\'s loss weights; "measure" measures them before and after.',
    ),
  engine: z.string().optional().describe('Engine id, or "auto" (default).'),
  seed: z.int().min(0).max(0xffffffff).optional().describe('Default 0.'),
  runOn: RunOn.optional().describe(
    'Where the run executes: "local" (default), "slurm", { "slurm": { "partition": "short", "time": "2:00:00" } }, or { "command": "ssh box {cmd}" } over a shared folder.',
  ),
});
export type Plan = z.infer<typeof Plan>;
