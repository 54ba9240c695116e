/** The time of a run of a plan here, before it starts: the data is opened, some training steps are timed, nothing is trained. */
import { readPlan } from '../plan/readPlan.js';
import type { PlannedTime } from '../protocol/dataChoice.js';
import type { PathSettings } from '../protocol/plan.js';
import { tryPlan } from './openPlanData.js';

/**
 * @param planPath absolute, in the workspace. @param options.engine in place of the plan's. @param options.asPath as a path of budgets.
 * @throws UserError of every kind that reading the plan, its model and its data can.
 */
export async function planTime(
  planPath: string,
  { workspace, engine, asPath }: { workspace: string; engine?: string; asPath?: PathSettings },
): Promise<PlannedTime> {
  const written = await readPlan(planPath, { workspace, ...(asPath && { asPath }) });
  const plan = engine === undefined ? written : { ...written, engine };
  const { planned, notes } = await tryPlan(plan, workspace);
  return { time: planned, notes: [...notes] };
}
