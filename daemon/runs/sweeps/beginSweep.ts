/** Begins a sweep: all its points are checked before its folder is made. */
import { resolve } from 'node:path';
import { resolveInside, workspacePath } from '../../files/workspacePath.js';
import type { FileFormat } from '../../lc/budgets.js';
import type { Model } from '../../model/model.js';
import { readPlanText, resolveText } from '../../plan/readPlan.js';
import { pointText, sweepPoints, withValues } from '../../plan/sweep/points.js';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import type { Remote } from '../../protocol/runs/runOn.js';
import type { SweepFile, SweepRecord, SweepValues } from '../../protocol/runs/sweep.js';
import { sharedReferences } from './references.js';
import { createSweepFolder } from './sweepFolder.js';

interface Place {
  /** Absolute. */
  readonly workspace: string;
  /** What a budget in bytes buys of a model. */
  readonly formatOf: (model: Model) => FileFormat;
}

/** The plan of a point of the sweep. @throws what resolving a plan throws. */
export async function planOfPoint(
  { planText, planPath, compare }: Pick<SweepRecord, 'planText' | 'planPath' | 'compare'>,
  values: SweepValues,
  { workspace, formatOf }: Place,
): Promise<ResolvedPlan> {
  const text = withValues(planText, values);
  const plan = await resolveText(text, resolve(workspace, planPath), { workspace, formatOf });
  return { ...plan, ...(compare.length > 0 && { compare }) };
}

/**
 * @param planFile absolute. @param name of the sweep. `placed`: where it executes, if the plan names this place.
 * @returns the sweep's folder, absolute. @throws UserError that names the point and what is wrong with it; UserError('disk').
 */
export async function beginSweep(
  planFile: string,
  name: string,
  settings: SweepFile,
  { placed, ...place }: Place & { placed(planned: Remote | undefined): Remote | undefined },
): Promise<string> {
  const { workspace } = place;
  const file = await resolveInside(workspace, workspace, planFile);
  const planPath = workspacePath(workspace, file);
  const { compare = [], parallel = 1 } = settings;
  const common = { planText: await readPlanText(file, planPath), planPath, compare };
  const found = sweepPoints(settings);
  const plans: ResolvedPlan[] = [];
  for (const values of found) {
    try {
      plans.push(await planOfPoint(common, values, place));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(error.code, `with ${pointText(values)}: ${error.message}`, error.details);
    }
  }
  const shared = sharedReferences(plans);
  const points = found.map((values, i) => {
    const sharesWith = shared[i];
    return { values, run: null, ...(typeof sharesWith === 'number' && { sharesWith }) };
  });
  const runOn = placed(plans[0]!.runOn);
  return createSweepFolder(workspace, { name, ...common, parallel, points, ...(runOn && { runOn }) }, Date.now());
}
