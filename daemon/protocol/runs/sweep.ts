/** A sweep: one plan, with several values of some of its keys (`*.sweep.json`), and what is kept of it while and after it runs. */
import * as z from 'zod';
import { AbsolutePath, WorkspacePath } from '../paths.js';
import { BASELINES } from '../resolvedPlan.js';
import { Remote } from './runOn.js';

const Value = z.union([z.string(), z.number(), z.boolean()]);
export type SweepValue = z.infer<typeof Value>;

/** "budget.keep", "tasks.0.budget.keep": where a value stands in the plan. */
const Key = z
  .string()
  .regex(/^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$/, 'a key of the plan, with dots between: "budget.keep"');

/** Values of a point: one a key. */
export const SweepValues = z.record(Key, Value);
export type SweepValues = z.infer<typeof SweepValues>;

/** @see daemon/plan/sweep/points.ts for how the points follow. */
export const SweepFile = z.strictObject({
  $schema: z.string().optional(),
  plan: z.string().min(1).describe('The plan file, relative to this file.'),
  over: z
    .record(Key, z.union([z.array(Value).min(1), z.string().min(1)]))
    .default({})
    .describe('Keys of the plan with their values, each with each: a list, or a text such as "10%,5%,1%" or "0..4".'),
  points: z
    .array(SweepValues)
    .min(1)
    .optional()
    .describe('Combinations of values that are listed one by one; each is run with each of "over".'),
  compare: z.array(z.enum(BASELINES)).optional().describe('Baselines that run after each point, with equal epochs.'),
  parallel: z.int().min(1).max(64).optional().describe('Runs at the same time; they share the threads. Default: 1.'),
});
export type SweepFile = z.infer<typeof SweepFile>;

const Point = z.strictObject({
  values: SweepValues,
  run: z.string().nullable().describe('Name of its run folder; null: not started.'),
  /** A point that trains the same reference: this point begins with that one. */
  sharesWith: z.int().min(0).optional(),
  failed: z.string().optional().describe('Why its run failed, the last time.'),
});
export type SweepPoint = z.infer<typeof Point>;

/** `.lcprune/sweeps/<sweep>/sweep.json`. */
export const SweepRecord = z.strictObject({
  name: z.string(),
  planPath: WorkspacePath,
  /** The plan's text when the sweep began: a later change of the file concerns later sweeps. */
  planText: z.string(),
  compare: z.array(z.enum(BASELINES)),
  parallel: z.int().min(1),
  /** Absent: processes of the machine that continues it. */
  runOn: Remote.optional(),
  points: z.array(Point).min(1),
});
export type SweepRecord = z.infer<typeof SweepRecord>;

/** What a list of runs shows of a sweep that has begun. */
export const SweepSummary = z.object({
  sweep: AbsolutePath.describe('Its folder.'),
  workspace: AbsolutePath.describe('The workspace folder that holds it.'),
  name: z.string(),
  planPath: WorkspacePath,
  started: z.number(),
  runOn: Remote.optional().describe('Absent: processes of the machine that continues it.'),
  isRunning: z.boolean().describe('A process executes it, or follows its jobs.'),
  points: z.array(
    z.object({
      values: z.string().describe('In words: "budget.keep=5% seed=0".'),
      run: AbsolutePath.nullable().describe('Folder of its run; null: not started.'),
      failed: z.string().optional(),
    }),
  ),
});
export type SweepSummary = z.infer<typeof SweepSummary>;
