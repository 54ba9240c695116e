/**
 * The run's event log (`events.jsonl`, one JSON object a line, append only) and the event stream: the same objects.
 * Losses are means per sample. Errors are fractions of wrong samples, in [0, 1]; for a regression they are the share of the targets' variance left
 * unexplained, 1 - R^2, which is 1 for always answering the mean and larger for worse. Times are milliseconds since the epoch, kept counts are
 * non-zero weights of theta.
 */
import * as z from 'zod';
import { OtherRate } from './cautions.js';
import { Continuation, Ending } from './ending.js';
import { Budget, BUDGET_CHECKS } from './budget.js';
import { EVALUATION_FIGURES, PLACES, SETS, TELEMETRY } from './telemetry/columns.js';
import { eventFields, measure } from './telemetry/eventFields.js';

const figures = eventFields(EVALUATION_FIGURES);
export const Evaluation = z.object({
  ...figures,
  samples: z.number(),
  target: z
    .literal('reference')
    .optional()
    .describe(
      "The data has no labels: loss and error are of the reference's own answers. The error is the share of samples that the reference answers otherwise.",
    ),
  outputs: z
    .array(
      z.object({
        output: z.string().describe('Path of its layer.'),
        weight: z.number().describe('Factor of its loss in the sum.'),
        ...figures,
      }),
    )
    .optional()
    .describe('Where outputs are trained together: each one. `loss` is their weighted sum, `error` that of the first.'),
});
export type Evaluation = z.infer<typeof Evaluation>;

export const LayerKept = z.object({ layer: z.string(), weights: z.number(), kept: z.number() });
export type LayerKept = z.infer<typeof LayerKept>;

export const Phase = z.enum(['load', 'reference', 'direct', 'l-step', 'c-step', 'retrain', 'prune', 'export']);
export type Phase = z.infer<typeof Phase>;

/** State at the end of the last LC iteration. */
export const Agreement = z.object({
  ratio: measure.describe('||w - theta|| / ||w||.'),
  supportChange: z.number().describe('Entries that came into the support or left it.'),
  kept: z.number(),
});
export type Agreement = z.infer<typeof Agreement>;

/** A finished budget of a path run, numbered in the order they were computed; its model is in `points/<point>`. */
export const PathPoint = z.object({
  point: z.number(),
  budget: Budget,
  from: z.number().nullable().describe('The point whose solution it started from; null: the reference.'),
  kept: z.number(),
  prunable: z.number(),
  perLayer: z.array(LayerKept),
  bytes: z.number().nullable().describe('Size of its sparse package; null where the model has none.'),
  /** Before and after retraining, on the part whose error is reported: the test set if there is one. */
  theta: Evaluation,
  retrained: Evaluation,
  decision: measure.describe('Error after retraining on the part that decides.'),
  epochs: z.number().describe('Epochs of training it took, its retraining included.'),
  agreement: Agreement.optional().describe('Of LC: what its L and C steps ended with.'),
  seconds: z.number(),
});
export type PathPoint = z.infer<typeof PathPoint>;

/** Which point of a path became the result, and why. */
export const PathAnswer = z.object({
  point: z.number(),
  /** The part of the data whose error decided: validation if there is one. */
  set: z.enum(SETS),
  reference: measure.describe("The reference's error on that part."),
  maxErrorIncrease: z.number().nullable(),
  maxError: z.number().nullable().optional().describe('Absent in runs of earlier versions.'),
  samples: z.number().optional().describe('How many of that part decided.'),
  met: z.boolean().describe('Whether the point is within the bound (the reference, where none was given).'),
});
export type PathAnswer = z.infer<typeof PathAnswer>;

/** One requirement of a budget, and the amount in the written files. */
export const BudgetCheck = z.object({
  task: z.string(),
  kind: z.enum(BUDGET_CHECKS),
  asked: z.string().describe('As in the plan: "8 kB", "2:4", "floor 10% of fc1".'),
  limit: z.number().nullable().describe('What that comes to, in the unit of `got`; null: a penalty sets no limit.'),
  got: z.number(),
  met: z.boolean().nullable().describe('null: nothing to meet.'),
});
export type BudgetCheck = z.infer<typeof BudgetCheck>;

/** A finding about the result of a finished run; the log also has a warning with its code. */
export const Finding = z.object({
  code: z.enum([
    'near-chance',
    'constant-output',
    'dead-layer',
    'budget-missed',
    'not-converged',
    'support-changing',
    'few-samples',
  ]),
  message: z.string(),
  unusable: z.boolean().describe('The result should not be used as it is.'),
});
export type Finding = z.infer<typeof Finding>;

/** An untrained output that shares layers with the trained one: its figures in the file, and in the result. */
export const OtherOutput = z.object({
  output: z.string().describe('Path of its layer.'),
  samples: z.number(),
  moved: measure.describe('Mean |after - before| as a share of its spread before; null: it did not vary before.'),
  /** If the data has targets for it. */
  before: Evaluation.optional(),
  after: Evaluation.optional(),
});
export type OtherOutput = z.infer<typeof OtherOutput>;

const at = { time: z.number() };

export const RunEvent = z.discriminatedUnion('event', [
  z.object({
    ...at,
    event: z.literal('start'),
    run: z.string(),
    plan: z.string(),
    method: z.string(),
    engine: z.string(),
    device: z.string(),
    seed: z.number(),
    weights: z.number(),
    prunable: z.number(),
    kappa: z.number().nullable(),
    totalSteps: z.number(),
    resumed: z.boolean(),
  }),
  z.object({
    ...at,
    event: z.literal('phase'),
    phase: Phase,
    iteration: z.number().optional(),
    steps: z.number().optional(),
    /** For a path run: the budget that this phase trains for. */
    point: z.number().optional(),
    budget: Budget.optional(),
  }),
  /** One training batch; `step` counts over the whole run. */
  z.object({
    ...at,
    event: z.literal('batch'),
    phase: Phase,
    iteration: z.number().optional(),
    ...eventFields(TELEMETRY.batch),
  }),
  z.object({
    ...at,
    event: z.literal('evaluation'),
    at: z.enum(PLACES),
    set: z.enum(SETS),
    iteration: z.number().optional(),
    ...eventFields(TELEMETRY.evaluation),
    ...Evaluation.shape,
  }),
  /** After the C step of one LC iteration (or one pruning step of a baseline). */
  z.object({
    ...at,
    event: z.literal('iteration'),
    ...eventFields(TELEMETRY.iteration),
    iterations: z.number(),
    perLayer: z.array(LayerKept),
    etaSeconds: measure,
  }),
  /** A budget of a path run is finished; `points`: how many there will be as far as is known. */
  z.object({ ...at, event: z.literal('point'), points: z.number(), step: z.number(), ...PathPoint.shape }),
  z.object({ ...at, event: z.literal('checkpoint'), file: z.string(), step: z.number() }),
  z.object({ ...at, event: z.literal('warning'), code: z.string(), message: z.string(), rate: OtherRate.optional() }),
  z.object({ ...at, event: z.literal('budget'), budget: z.unknown(), iteration: z.number() }),
  z.object({ ...at, event: z.literal('paused'), step: z.number() }),
  /** `paused`: a user had paused it. */
  z.object({
    ...at,
    event: z.literal('stopped'),
    step: z.number(),
    reason: z.string(),
    resume: z.string(),
    paused: z.literal(true).optional(),
  }),
  /** `ending`: the trainer could not report it itself; its supervisor has written this. */
  z.object({
    ...at,
    event: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    ending: Ending.optional(),
  }),
  /** The run continues on another engine, or on its own after a crash. */
  z.object({ ...at, event: z.literal('engine'), ...Continuation.shape }),
  z.object({
    ...at,
    event: z.literal('done'),
    reference: Evaluation,
    theta: Evaluation,
    retrained: Evaluation,
    kept: z.number(),
    prunable: z.number(),
    perLayer: z.array(LayerKept),
    seconds: z.number(),
    folder: z.string(),
    set: z.enum(SETS).optional().describe('The part of the data that the errors are of.'),
    decision: z
      .number()
      .optional()
      .describe('Error of the result on data held out from training and reporting alike; absent: there is none.'),
    budget: z.array(BudgetCheck).optional(),
    path: PathAnswer.optional(),
    /** The scale of inputs that are not taken as stored: "x/255". */
    inputs: z.array(z.object({ name: z.string(), read: z.string() })).optional(),
    /** Findings about the result; absent: none. */
    findings: z.array(Finding).optional(),
    /** Of a model with several outputs. */
    others: z.array(OtherOutput).optional(),
    /** What happened on the way to this result. */
    continuations: z.array(Continuation).optional(),
  }),
]);
export type RunEvent = z.infer<typeof RunEvent>;
/** A run event before the log stamps its time. */
export type UntimedRunEvent = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'time'> : never) : never;

/** `crashed`: a signal has ended its trainer, through the engine's own fault; `interrupted`: it was ended from outside. */
export const RunState = z.enum(['queued', 'running', 'paused', 'interrupted', 'stopped', 'crashed', 'failed', 'done']);
export type RunState = z.infer<typeof RunState>;
