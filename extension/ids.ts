/** Every id that package.json's `contributes` and the code share; test/unit/extension compares the two. */
import type { CommandArgument, CommandId } from '../daemon/protocol/commands.js';
import type { AbsolutePath } from '../daemon/protocol/paths.js';
import type { SweepSummary } from '../daemon/protocol/runs/sweep.js';
import type { Run } from './runs.js';

/** The argument that a tree passes to its commands. */
export interface RunItem {
  summary: Run;
}
/** A plan with its runs. */
export interface PlanItem {
  kind: 'plan';
  plan: string;
  /** null: its runs have no plan file. */
  file: AbsolutePath | null;
}
/** A sweep that has begun, with its runs. */
export interface SweepItem {
  kind: 'sweep';
  sweep: SweepSummary;
}
export interface LayerItem {
  model: AbsolutePath;
  layer: string;
}

/** Commands of the palette, trees and CodeLens, with the argument that each takes (none from the palette). */
export interface CommandArguments extends Partial<Record<CommandId, unknown>> {
  'lcPrune.pruneModel': CommandArgument<'lcPrune.pruneModel'>;
  'lcPrune.inspectModel': CommandArgument<'lcPrune.inspectModel'>;
  'lcPrune.showNetwork': CommandArgument<'lcPrune.showNetwork'>;
  'lcPrune.setBudget': CommandArgument<'lcPrune.setBudget'> | LayerItem;
  'lcPrune.excludeLayer': CommandArgument<'lcPrune.excludeLayer'>;
  'lcPrune.run': CommandArgument<'lcPrune.run'>;
  /** From the tree of runs: a plan with its runs. */
  'lcPrune.runOn': CommandArgument<'lcPrune.runOn'> | PlanItem;
  'lcPrune.runWithBaselines': { plan: AbsolutePath };
  'lcPrune.runPath': CommandArgument<'lcPrune.runPath'>;
  'lcPrune.runSweep': CommandArgument<'lcPrune.runSweep'>;
  'lcPrune.stopSweep': SweepItem;
  'lcPrune.resumeSweep': SweepItem;
  'lcPrune.openSweepTable': SweepItem;
  'lcPrune.previewBudget': CommandArgument<'lcPrune.previewBudget'>;
  'lcPrune.chooseData': CommandArgument<'lcPrune.chooseData'>;
  'lcPrune.installData': CommandArgument<'lcPrune.installData'>;
  'lcPrune.previewData': CommandArgument<'lcPrune.previewData'>;
  'lcPrune.evaluate': CommandArgument<'lcPrune.evaluate'>;
  'lcPrune.sensitivity': CommandArgument<'lcPrune.sensitivity'>;
  'lcPrune.openMonitor': CommandArgument<'lcPrune.openMonitor'> | RunItem;
  'lcPrune.compareRuns': CommandArgument<'lcPrune.compareRuns'> | RunItem;
  'lcPrune.runWithOtherRate': RunItem;
  'lcPrune.createPlan': { model: AbsolutePath };
  'lcPrune.pause': RunItem;
  'lcPrune.resume': RunItem;
  /** Asks where. */
  'lcPrune.resumeOn': RunItem | SweepItem;
  /** `engine`: without it, the command asks. */
  'lcPrune.continueOnEngine': RunItem & { engine?: string };
  'lcPrune.stop': RunItem;
  'lcPrune.setRunBudget': RunItem;
  /** Of a path run: one of its points. */
  'lcPrune.exportModel': RunItem & { point?: number };
  /** `tryIt`: opens the page at the user's own sample. */
  'lcPrune.whatChanged': RunItem & { point?: number; tryIt?: boolean };
  'lcPrune.openReport': RunItem;
  'lcPrune.runAgain': RunItem;
  'lcPrune.renameRun': RunItem;
  'lcPrune.deleteRun': RunItem;
  'lcPrune.revealRun': RunItem;
  'lcPrune.openPlan': RunItem;
  'lcPrune.starRun': RunItem;
  'lcPrune.tagRun': RunItem;
  'lcPrune.noteRun': RunItem;
  'lcPrune.showRuns': undefined;
  'lcPrune.tryExample': undefined;
  'lcPrune.refreshRuns': undefined;
  'lcPrune.selectEngine': undefined;
  'lcPrune.installEngine': undefined;
  'lcPrune.showLog': undefined;
  'lcPrune.restartDaemon': undefined;
}
export type CommandName = keyof CommandArguments;

export const COMMANDS: readonly CommandName[] = [
  'lcPrune.tryExample',
  'lcPrune.pruneModel',
  'lcPrune.inspectModel',
  'lcPrune.showNetwork',
  'lcPrune.setBudget',
  'lcPrune.excludeLayer',
  'lcPrune.run',
  'lcPrune.runOn',
  'lcPrune.runWithBaselines',
  'lcPrune.runPath',
  'lcPrune.runSweep',
  'lcPrune.stopSweep',
  'lcPrune.resumeSweep',
  'lcPrune.openSweepTable',
  'lcPrune.runWithOtherRate',
  'lcPrune.previewBudget',
  'lcPrune.chooseData',
  'lcPrune.installData',
  'lcPrune.previewData',
  'lcPrune.evaluate',
  'lcPrune.sensitivity',
  'lcPrune.openMonitor',
  'lcPrune.compareRuns',
  'lcPrune.createPlan',
  'lcPrune.pause',
  'lcPrune.resume',
  'lcPrune.resumeOn',
  'lcPrune.continueOnEngine',
  'lcPrune.stop',
  'lcPrune.setRunBudget',
  'lcPrune.exportModel',
  'lcPrune.whatChanged',
  'lcPrune.openReport',
  'lcPrune.runAgain',
  'lcPrune.renameRun',
  'lcPrune.deleteRun',
  'lcPrune.revealRun',
  'lcPrune.openPlan',
  'lcPrune.starRun',
  'lcPrune.tagRun',
  'lcPrune.noteRun',
  'lcPrune.showRuns',
  'lcPrune.refreshRuns',
  'lcPrune.selectEngine',
  'lcPrune.installEngine',
  'lcPrune.showLog',
  'lcPrune.restartDaemon',
];

export const VIEWS = { runs: 'lcPrune.runs', model: 'lcPrune.model', engine: 'lcPrune.engine' } as const;
/** The plan's language id. daemon/protocol has it too; importing it from there would load all validators at activation. */
export const PLAN_LANGUAGE = 'lc-prune-plan';
export const MONITOR = 'lcPrune.monitor';
/** The table of runs. */
export const RUNS_TABLE = 'lcPrune.runsTable';
/** Samples of data that may be chosen. */
export const DATA_PAGE = 'lcPrune.data';
/** What pruning changed. */
export const CHANGED_PAGE = 'lcPrune.changed';
/** What each layer of a plan loses when it is pruned alone. */
export const SENSITIVITY_PAGE = 'lcPrune.sensitivityPage';
/** The plot and the table of a sweep. */
export const SWEEP_PAGE = 'lcPrune.sweepPage';
/** Shows a model file as a picture of its network and a table: binary files, and a model.json on request. */
export const MODEL_EDITOR = 'lcPrune.modelFile';
/** Pages without messages: a report, samples. */
export const STATIC_PAGE = 'lcPrune.page';
export const WALKTHROUGH = 'lcPrune.start';
/** Tools of the editor's assistants. */
export const LANGUAGE_TOOLS = [
  'lcPrune_pruneModel',
  'lcPrune_previewBudget',
  'lcPrune_showRuns',
  'lcPrune_openMonitor',
] as const;
/** Type of the tasks that run plans, and what finds the plan's errors in their output. */
export const TASK = 'lc-prune';
export const PROBLEM_MATCHER = 'lc-prune';
/** The MCP servers that the editor may start. */
export const MCP_SERVERS = 'lcPrune.mcp';

/** Context keys of `when` and `enablement`. */
export const CONTEXTS = {
  /** "idle", "starting", "ready", "waiting" or "failed". */
  daemon: 'lcPrune.daemon',
  /** Some run is running. */
  running: 'lcPrune.running',
  /** Some run is paused, stopped, interrupted or crashed. */
  resumable: 'lcPrune.resumable',
  hasRuns: 'lcPrune.hasRuns',
  /** Some run has a result. */
  hasResults: 'lcPrune.hasResults',
  /** The example is open in this window. */
  hasExample: 'lcPrune.hasExample',
  /** A model is in view. */
  hasModel: 'lcPrune.hasModel',
  /** A budget or a goal was written to a plan. */
  hasBudget: 'lcPrune.hasBudget',
  /** A result was exported. */
  hasExport: 'lcPrune.hasExport',
  /** For a moment after a walkthrough may have been opened. */
  walkthrough: 'lcPrune.walkthrough',
  /** The editor in front shows a model. */
  modelInFront: 'lcPrune.modelInFront',
} as const;
