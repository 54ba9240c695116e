/**
 * Every custom JSON-RPC message between a client (extension, CLI) and the daemon, declared once. `daemon/server` answers them, `extension/client`
 * sends them; both validate with the schemas here. LSP messages travel on the same connection.
 * `AbsolutePath`s must lie inside a workspace folder of the connection; paths.ts defines how both sides name files.
 */
import * as z from 'zod';
import { dataPackageNames } from './dataPackages.js';
import { EngineState } from './runs/engineState.js';
import { ExportFormat, LatencyFigures } from './exports.js';
import { Finish } from './finish.js';
import { LayerKept, RunEvent } from './events.js';
import { DataPreview, DataSearch, PlanLength } from './dataChoice.js';
import { GoalWanted, Outlook } from './outlook.js';
import { AbsolutePath } from './paths.js';
import { Budget, DataSource, ErrorBound, PathSettings } from './plan.js';
import { ResolvedPlan } from './resolvedPlan.js';
import { MarksChange, RunMarks } from './runs/marks.js';
import { RunOn } from './runs/runOn.js';
import { Sensitivity } from './layers/sensitivity.js';
import { TELEMETRY } from './telemetry/columns.js';
import { columnArrays } from './telemetry/eventFields.js';
import { PROTOCOL_VERSION } from './version.js';
import { TriedAnswer, TriedSample, WhatChanged } from './whatChanged.js';
import { RunSummary } from './runs/summary.js';
import { sweepRequests } from './runs/sweepRequests.js';
import { LayerPicture, ModelSummary } from './layers/modelSummary.js';

export { RunSummary } from './runs/summary.js';
export { LayerPicture, ModelLayer, ModelSummary } from './layers/modelSummary.js';

export { PROTOCOL_VERSION, SOCKET_PATH } from './version.js';
export { EngineState } from './runs/engineState.js';
export { ExportFormat, LatencyFigures } from './exports.js';

/** The daemon's first line on stdout, as JSON. */
export const Hello = z.object({
  protocol: z.literal(PROTOCOL_VERSION),
  port: z.int().min(1).max(65535),
  pid: z.int(),
  version: z.string(),
});
export type Hello = z.infer<typeof Hello>;

/**
 * Language id of `*.prune.json`. The extension contributes it (JSON with comments for the grammar and brackets), so that
 * the built-in JSON support does not answer a second time: completion, hover and validation are the daemon's alone.
 */
export const PLAN_LANGUAGE = 'lc-prune-plan';

/**
 * `initializationOptions` of LSP `initialize`. Workspace folders come from LSP (`workspaceFolders`). The client's document
 * selector is `[{ scheme: 'file', pattern: '**\/*.json' }]`; the daemon asks for the text of `*.prune.json` and of Python (for CodeLens
 * alone, cells of notebooks among it), and reads model files from disk, so a 20 MB model never crosses the socket.
 */
export const InitializationOptions = z.looseObject({
  /** Workspace Trust. Without it files are read and described, but nothing runs and nothing is written. */
  trusted: z.boolean(),
  /** Whether trainers continue when the daemon is gone. Default: they write a checkpoint and end. */
  keepTraining: z.boolean().optional(),
});
export type InitializationOptions = z.infer<typeof InitializationOptions>;

/**
 * The run of a request: its folder as the client names it (`RunSummary.folder`), or its name if only one of the connection's workspace folders has a
 * run of that name.
 */
const run = z.string().min(1).max(4096);
const nothing = z.null();

/** The meaning of a budget before the run. */
export const BudgetPreview = z.object({
  kappa: z.number().nullable().describe('Weights kept, or null where it cannot be known (penalty form).'),
  prunable: z.number(),
  bytes: z.number().nullable(),
  flopsShare: z.number().nullable(),
  text: z.string().describe('"1% = 2,662 weights, about 16 kB sparse, 1.3% of the FLOPs".'),
  problem: z.string().nullable().describe('Why the budget is impossible, with the nearest valid one.'),
});
export type BudgetPreview = z.infer<typeof BudgetPreview>;

/** A point of a path run; without it, the run's result. */
const point = z.int().min(0).max(1e6).optional();

/** Client -> daemon requests: method -> params and result. */
export const requests = {
  /** Runs found in the workspace folders, newest first. */
  'lc/runs': { params: nothing, result: z.array(RunSummary) },
  /** The same; every run's files are read again, changed or not. */
  'lc/refresh': { params: nothing, result: z.array(RunSummary) },
  /**
   * Has the daemon look after the runs that closed windows have left in the folders of this connection, from now on: runs that still train continue
   * and their baselines follow; `lc/left` reports the others. Each is looked after by one daemon. Needs a trusted workspace.
   */
  'lc/adopt': { params: nothing, result: nothing },
  /** Starts a run of a plan file. The plan's text is read from disk. Needs a trusted workspace. */
  'lc/start': {
    params: z.strictObject({
      planPath: AbsolutePath,
      engine: z.string().optional(),
      seed: z.number().optional(),
      compare: z.array(z.enum(['magnitude', 'gradual'])).optional(),
      /** Computes the error-against-budget curve instead; {}: as the plan's "path" says, or the defaults. Only magnitude compares. */
      path: PathSettings.optional(),
      /** In place of the plan's. */
      runOn: RunOn.optional(),
    }),
    result: z.object({ run, folder: AbsolutePath }),
  },
  'lc/pause': { params: z.strictObject({ run }), result: nothing },
  /** Continues a paused, stopped, interrupted or crashed run; with `engine` or `runOn`, one whose trainer is gone, on that engine or in that place. */
  'lc/resume': {
    params: z.strictObject({ run, engine: z.string().min(1).max(100).optional(), runOn: RunOn.optional() }),
    result: nothing,
  },
  /** Checkpoints and ends the trainer; the run can be resumed. */
  'lc/stop': { params: z.strictObject({ run }), result: nothing },
  'lc/delete': { params: z.strictObject({ run }), result: nothing },
  'lc/rename': {
    params: z.strictObject({ run, name: z.string().min(1).max(100) }),
    result: z.object({ run, folder: AbsolutePath }),
  },
  /** Changes the star, tags or note of a run, whichever process runs it: they are kept in its folder, for all windows and the command line. */
  'lc/mark': { params: z.strictObject({ run, change: MarksChange }), result: RunMarks },
  /** Changes the budget from the next LC iteration on. */
  'lc/setBudget': { params: z.strictObject({ run, budget: Budget }), result: BudgetPreview },
  /** The meaning of a budget for the layers that the run prunes. */
  'lc/previewRun': { params: z.strictObject({ run, budget: Budget }), result: BudgetPreview },
  ...sweepRequests,
  /** The run's resolved plan. */
  'lc/plan': { params: z.strictObject({ run }), result: z.object({ plan: ResolvedPlan }) },
  /** History: events [from, from + limit) of the log; at most `resolution` of its `batch` events (telemetry/downsample.ts). */
  'lc/history': {
    params: z.strictObject({
      run,
      from: z.int().min(0),
      limit: z.int().min(1).max(100000),
      resolution: z.int().min(2).max(100000).optional(),
    }),
    result: z.object({ events: z.array(RunEvent), next: z.int(), end: z.boolean() }),
  },
  /** Starts (or stops) a run's event stream on this connection; its messages have `run` as it is named here. */
  'lc/subscribe': { params: z.strictObject({ run, on: z.boolean() }), result: nothing },
  /** Kept weights per layer as of the run's latest iteration, or its end; null before the first. */
  'lc/kept': { params: z.strictObject({ run }), result: z.array(LayerKept).nullable() },
  'lc/layer': { params: z.strictObject({ run, layer: z.string() }), result: LayerPicture },
  'lc/inspect': { params: z.strictObject({ model: AbsolutePath }), result: ModelSummary },
  'lc/preview': {
    params: z.strictObject({ model: AbsolutePath, budget: Budget, exclude: z.array(z.string()).optional() }),
    result: BudgetPreview,
  },
  /** The meaning of each task's budget in a saved plan (or of `budget` in its place); also if the model is an architecture. */
  'lc/previewPlan': {
    params: z.strictObject({ planPath: AbsolutePath, budget: Budget.optional() }),
    result: z.array(z.object({ task: z.string(), layers: z.array(z.string()), preview: BudgetPreview })),
  },
  /**
   * Writes a new plan file beside the model, or returns an existing one with exactly this content; never overwrites. Either a budget or, for the
   * smallest network, a bound on its error. `data` as in the plan; paths may be absolute.
   */
  'lc/createPlan': {
    params: z.strictObject({
      model: AbsolutePath,
      budget: Budget.optional(),
      bound: ErrorBound.optional(),
      data: DataSource,
      length: PlanLength.optional(),
      name: z.string().optional(),
    }),
    result: z.object({ planPath: AbsolutePath }),
  },
  /** Data of the model's workspace folder and built-in sets that fit it, for a plan (default: one beside the model). Can be cancelled. */
  'lc/searchData': {
    params: z.strictObject({ model: AbsolutePath, planPath: AbsolutePath.optional() }),
    result: DataSearch,
  },
  /** Data as a run would read it, and the time that the run would take here. Needs a trusted workspace, because data may be a program. */
  'lc/previewData': {
    params: z.strictObject({ model: AbsolutePath, data: DataSource, planPath: AbsolutePath.optional() }),
    result: DataPreview,
  },
  /**
   * The cost of runs to these goals here, and the errors of their direct compressions: for a saved plan (`planPath`), or a new one for `model` and
   * `data`. Computed by a child process within seconds; can be cancelled. Needs a trusted workspace, because data may be a program.
   */
  'lc/outlook': {
    params: z.strictObject({
      goals: z.array(GoalWanted).min(1).max(12),
      of: z.union([
        z.strictObject({ planPath: AbsolutePath }),
        z.strictObject({ model: AbsolutePath, data: DataSource, length: PlanLength.optional() }),
      ]),
    }),
    result: Outlook,
  },
  /**
   * The error of a saved plan's model with each layer pruned alone, on the plan's data: by a child process, with `lc/progress` under `progress`; can
   * be cancelled. Needs a trusted workspace, because data may be a program.
   */
  'lc/sensitivity': {
    params: z.strictObject({ planPath: AbsolutePath, progress: z.string().min(1).max(100).optional() }),
    result: Sensitivity,
  },
  /** The npm packages of the plan's built-in data set that are not installed, and the folder where they are looked for too. */
  'lc/missingPackages': {
    params: z.strictObject({ planPath: AbsolutePath }),
    result: z.object({ packages: z.array(z.enum(dataPackageNames)), folder: AbsolutePath }),
  },
  'lc/engines': { params: nothing, result: z.array(EngineState) },
  /** Memory in use now: of the daemon, and of each running trainer (on the GPU too, where its driver reports it). Bytes. */
  'lc/memory': {
    params: nothing,
    result: z.object({
      daemon: z.number(),
      runs: z.array(
        z.object({ run, folder: AbsolutePath, resident: z.number().nullable(), device: z.number().nullable() }),
      ),
    }),
  },
  /** The result of a finished run, as far as it was measured; null: it has no result, or nothing was pruned. */
  'lc/finish': { params: z.strictObject({ run }), result: Finish.nullable() },
  /**
   * The reference beside the pruned network. For runs that ended before this was computed at the end, by a child process, with `lc/progress` under
   * `progress`; can be cancelled. Needs a trusted workspace, because data may be a program.
   */
  'lc/changed': {
    params: z.strictObject({ run, point, progress: z.string().min(1).max(100).optional() }),
    result: WhatChanged,
  },
  /** One sample answered by both networks, by a child process. Needs a trusted workspace. */
  'lc/trySample': { params: z.strictObject({ run, point, sample: TriedSample }), result: TriedAnswer },
  /** At once if the run was measured when it ended; else measured by a child process, as is a path's point. */
  'lc/exportFormats': { params: z.strictObject({ run, point }), result: z.array(ExportFormat) },
  /** Likewise; measuring takes some seconds. */
  'lc/latency': { params: z.strictObject({ run, point }), result: LatencyFigures },
  'lc/export': {
    params: z.strictObject({ run, point, format: z.string(), target: AbsolutePath }),
    result: z.object({
      path: AbsolutePath,
      bytes: z.number(),
      scaleFile: AbsolutePath.optional().describe('Beside it: how inputs are scaled, where they are not as stored.'),
    }),
  },
} as const;
export type Requests = typeof requests;
export type RequestMethod = keyof Requests;
/** The plan or model of an outlook. */
export type OutlookSubject = Params<'lc/outlook'>['of'];
export type Params<M extends RequestMethod> = z.infer<Requests[M]['params']>;
export type Result<M extends RequestMethod> = z.infer<Requests[M]['result']>;

/** Client -> daemon notifications. */
export const clientNotifications = {
  /** Workspace Trust was granted (or the folders changed and trust with them). */
  'lc/trust': z.strictObject({ trusted: z.boolean() }),
  /** Whether trainers continue when the daemon is gone; also applies to running ones. */
  'lc/keepTraining': z.strictObject({ on: z.boolean() }),
  /** A data set was installed: plans that miss one are analysed again, though no watcher may see its folder. */
  'lc/packagesChanged': z.strictObject({}),
} as const;
export type ClientNotifications = typeof clientNotifications;

/** JSON-RPC error codes of the daemon's own. A UserError travels as `USER_ERROR` with `data: { code, file?, field?, hint? }`. */
export const USER_ERROR = -32050;
/** The workspace is not trusted: nothing may run or be written. */
export const NOT_TRUSTED = -32051;

/**
 * The batch metrics of an event stream as columns, at most one message per run every 100 ms; downsampled when the client is slow. `time`: milliseconds
 * since the epoch.
 */
export const BatchColumns = z.object({
  run,
  ...columnArrays(TELEMETRY.batch),
});
export type BatchColumns = z.infer<typeof BatchColumns>;

/** Daemon -> client notifications. */
export const notifications = {
  /** A run was added, changed state or made progress (at most 4 a second per run), or was deleted (summary null). */
  'lc/runChanged': z.object({ run, folder: AbsolutePath, summary: RunSummary.nullable() }),
  /**
   * Runs that were interrupted while no window looked after them: because the window, the daemon, the machine or the trainer ended. Each is reported
   * once.
   */
  'lc/left': z.object({ folders: z.array(AbsolutePath) }),
  'lc/batches': BatchColumns,
  /** The progress of a request that asked for it under a name of its own. */
  'lc/progress': z.object({ progress: z.string(), done: z.number(), total: z.number() }),
  /** Every event but `batch`, never dropped. */
  'lc/events': z.object({ run, events: z.array(RunEvent) }),
} as const;
export type Notifications = typeof notifications;

/** The kept counts that the UI shows per layer. */
export type { LayerKept };
