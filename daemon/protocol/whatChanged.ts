/**
 * What pruning changed: the answers of the reference and of the pruned network on the part of the data that the run's error is of. The trainer writes
 * it when a run ends (`result/changed.json`); its size is bounded, whatever the data's size.
 */
import * as z from 'zod';
import { InputShown } from './dataChoice.js';
import { Evaluation } from './events.js';
import { AbsolutePath } from './paths.js';

/** Up to so many classes, whole confusion matrices are included; with more, the pairs that are confused most. */
export const MATRIX_CLASSES = 40;
/** Most confused pairs, and most rows of the table of classes. */
export const LISTED_PAIRS = 60;
export const LISTED_CLASSES = 1000;
/** Most samples shown whose answer changed. */
export const LISTED_SAMPLES = 96;

const measure = z.number().nullable().describe('null: not a finite number');
const counts = z.array(z.int().min(0));

/** Rows are labels, columns answers; both in the order of `classes`. */
const Matrix = z.array(counts);

export const ClassChange = z.object({
  name: z.string(),
  samples: z.int().describe('Answers with this label: samples, or positions of them.'),
  reference: z.int().describe('Of them wrong.'),
  pruned: z.int(),
});
export type ClassChange = z.infer<typeof ClassChange>;

/** One class of several for each sample, or for each position of a sample. */
const Classes = z.object({
  kind: z.literal('classes'),
  count: z.int().describe('How many classes there are.'),
  /** The first `LISTED_CLASSES` by the change of their errors; all, in the model's order, if there are no more. */
  classes: z.array(ClassChange),
  matrices: z.object({ reference: Matrix, pruned: Matrix }).nullable().describe('null: more than MATRIX_CLASSES.'),
  /** Label and wrong answer by name, those with the largest change first; null if there are matrices. */
  pairs: z.array(z.object({ label: z.string(), answer: z.string(), reference: z.int(), pruned: z.int() })).nullable(),
});

/** Several yes-or-no answers for each sample; an error is the share of wrong ones. */
const Labels = z.object({
  kind: z.literal('labels'),
  count: z.int(),
  labels: z.array(
    z.object({
      name: z.string(),
      yes: z.int().describe('Samples for which yes is right.'),
      reference: z.object({ missed: z.int(), invented: z.int() }).describe('No for yes, yes for no.'),
      pruned: z.object({ missed: z.int(), invented: z.int() }),
    }),
  ),
});

const Residuals = z.object({ rmse: measure, meanAbsolute: measure });

/** Numbers: residuals are output - target, in the target's unit. */
const Numbers = z.object({
  kind: z.literal('numbers'),
  count: z.int().describe('Outputs of a sample.'),
  reference: Residuals,
  pruned: Residuals,
  /** Counts of both on the same edges (edges.length = counts.length + 1); the outer bins include everything beyond. */
  histogram: z.object({ edges: z.array(z.number()), reference: counts, pruned: counts }),
  /** Some samples in the data's order: target and both outputs. */
  points: z.array(z.tuple([z.number(), measure, measure])),
  /** For each output, if there are several. */
  outputs: z.array(z.object({ name: z.string(), reference: Residuals, pruned: Residuals })),
});

export const ChangedSample = z.object({
  index: z.int().describe('Position in the part of the data.'),
  label: z.string(),
  reference: z.string().describe('What the network says.'),
  pruned: z.string(),
  /** Probability that the network assigns to its answer; null if it has none. */
  referenceSure: measure,
  prunedSure: measure,
  verdict: z.enum(['worse', 'better', 'other']).describe('other: both are wrong, in different ways.'),
});
export type ChangedSample = z.infer<typeof ChangedSample>;

/** The description of an input for "Try a sample". */
export const InputForm = z.object({
  name: z.string(),
  shape: z.array(z.int()),
  image: z.tuple([z.int(), z.int(), z.int()]).nullable().describe('[height, width, channels] where it can be drawn.'),
  columns: z.array(z.string()).describe('Names of its values, where they have any.'),
  stored: z.tuple([z.number(), z.number()]).describe('Range of the values as they are stored, over some samples.'),
  background: z.number().describe('Of an image: the stored value of most of its border.'),
  example: z.array(z.number()).describe('A stored sample; empty where it is long.'),
});
export type InputForm = z.infer<typeof InputForm>;

export const WhatChanged = z.object({
  version: z.literal(1),
  set: z.enum(['train', 'validation', 'test']).describe('The part of the data that all of it is of.'),
  samples: z.int(),
  positions: z.int().describe('Answers of a sample: 1, or the positions of a sequence or of an image.'),
  answers: z.int().describe('Answers that count, of all samples: those that are padding are left out.'),
  reference: Evaluation.describe('As evaluated for this; the run reports the same.'),
  pruned: Evaluation,
  regression: z.boolean(),
  result: z.discriminatedUnion('kind', [Classes, Labels, Numbers]),
  head: z.enum(['softmax', 'sigmoid', 'none']).describe("What makes probabilities of the networks' outputs."),
  classNames: z.array(z.string()).nullable(),
  changed: z.object({
    /** Samples of which any answer changed; for numbers, those whose distance to the target changed. */
    worse: z.int(),
    better: z.int(),
    other: z.int(),
    shown: z.array(ChangedSample),
    order: z.string().describe('What the samples that are shown are sorted by.'),
  }),
  inputs: z.array(InputShown).describe('Of the samples that are shown, in their order.'),
  columns: z.array(z.array(z.string())).describe('Names of the values of each input, where they have any.'),
  form: z.array(InputForm),
  notes: z.array(z.string()).describe('What is bounded or left out, and where a figure differs from the log.'),
});
export type WhatChanged = z.infer<typeof WhatChanged>;

/** A sample to be answered by both networks. Values are as stored; images are resized to the input. */
export const TriedSample = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), file: AbsolutePath }),
  z.strictObject({ kind: z.literal('image'), name: z.string().max(300), data: z.base64() }),
  z.strictObject({
    kind: z.literal('values'),
    inputs: z
      .array(z.array(z.number()).max(1 << 16))
      .min(1)
      .max(64),
  }),
]);
export type TriedSample = z.infer<typeof TriedSample>;

const Answer = z.object({
  /** Best first, at most ten; numbers in the order of the outputs. */
  answers: z.array(z.object({ name: z.string(), value: measure })),
  /** Meaning of `value`. */
  unit: z.enum(['share', 'number']),
});

export const TriedAnswer = z.object({
  inputs: z.array(InputShown).describe('What the networks were given.'),
  reference: Answer.nullable().describe('null: the reference is no longer there.'),
  pruned: Answer,
  notes: z.array(z.string()),
});
export type TriedAnswer = z.infer<typeof TriedAnswer>;
