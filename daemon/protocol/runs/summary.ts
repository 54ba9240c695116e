/** The summary of a run in a list. */
import * as z from 'zod';
import { Caution } from '../cautions.js';
import { Ending } from '../ending.js';
import { RunState } from '../events.js';
import { AbsolutePath, WorkspacePath } from '../paths.js';
import { RunMarks } from './marks.js';
import { JobState } from './runOn.js';

/** The data that a list of runs shows for each. */
export const RunSummary = z.object({
  run: z.string().min(1).max(200).describe('Name of its folder: unique within its workspace folder only.'),
  workspace: AbsolutePath.describe('The workspace folder that holds it; its paths are relative to this.'),
  folder: AbsolutePath.describe('What distinguishes it from every other run.'),
  plan: z.string().describe('Plan name: the plan file without ".prune.json".'),
  planPath: WorkspacePath.nullable(),
  model: z.string().describe('What to call its model: the path of its file, or the architecture.'),
  modelPath: WorkspacePath.nullable().describe('null: an architecture.'),
  method: z.string(),
  engine: z.string().nullable(),
  state: RunState,
  started: z.number(),
  ended: z.number().nullable(),
  iteration: z.number(),
  iterations: z.number(),
  /** Progress of the whole run in [0, 1]. */
  progress: z.number(),
  error: z.number().nullable().describe('Error at theta of the last iteration, or after retraining.'),
  referenceError: z.number().nullable(),
  unlabelled: z
    .boolean()
    .optional()
    .describe("The data has no labels: errors are those against the reference's own answers."),
  kept: z.number().nullable(),
  prunable: z.number().nullable(),
  etaSeconds: z.number().nullable(),
  samplesPerSecond: z.number().nullable(),
  job: JobState.optional().describe('Of a run that a queue has: what its runner reports.'),
  message: z.string().nullable().describe('Why it failed or stopped.'),
  cautions: z.array(Caution).optional().describe('What must be known before its result is used; absent: nothing.'),
  ending: Ending.optional().describe('How its trainer ended, where a signal ended it.'),
  budget: z.string().optional().describe('In words; absent: it asks for nothing.'),
  bytes: z.number().optional().describe('Size of its result as a sparse package.'),
  seconds: z.number().optional().describe('What a finished run took, pauses left out; absent: from start to end.'),
  points: z
    .array(
      z.object({
        point: z.number(),
        budget: z.string(),
        kept: z.number().describe('Share of the prunable weights.'),
        error: z.number().nullable(),
        bytes: z.number().nullable(),
        seconds: z.number(),
      }),
    )
    .optional()
    .describe('Of a path run: the budgets that are finished.'),
  baselineOf: z
    .string()
    .optional()
    .describe('Of a baseline: the run it is compared with, by its name in the same folder.'),
  marks: RunMarks.optional().describe('What people note of it; absent: nothing.'),
});
export type RunSummary = z.infer<typeof RunSummary>;
