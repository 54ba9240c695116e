/** Which points of a sweep train the same reference: it is trained once, by the first of them. */
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { fromReferenceOf } from '../baselinePlan.js';

const trainsReference = ({ reference, open = [] }: ResolvedPlan): boolean =>
  reference.epochs > 0 || open.includes('reference.epochs');

/** Everything that the trained reference depends on. */
function keyOf({ model, data, reference, open = [], openRates = [], ...plan }: ResolvedPlan): string {
  const { output, jointly, unfreeze, engine, seed } = plan;
  const left = [...open, ...openRates].filter((setting) => setting.startsWith('reference'));
  return JSON.stringify({ model, data, reference, left, output, jointly, unfreeze, engine, seed });
}

/**
 * @param plans of the points, in order.
 * @returns for each the earlier point that trains the same reference; null: none, or it trains no reference.
 */
export function sharedReferences(plans: readonly ResolvedPlan[]): (number | null)[] {
  const first = new Map<string, number>();
  return plans.map((plan, point) => {
    if (!trainsReference(plan)) return null;
    const key = keyOf(plan);
    const found = first.get(key);
    if (found === undefined) first.set(key, point);
    return found ?? null;
  });
}

/**
 * The plan of a point that begins with the reference that another one has trained; the plan itself if that one trained none.
 * @param folder of the other point's run, absolute.
 */
export async function withReferenceOf(folder: string, plan: ResolvedPlan, workspace: string): Promise<ResolvedPlan> {
  const shared = await fromReferenceOf(folder, plan, workspace);
  if (!shared) return plan;
  const { open = [], openRates = [], ...rest } = plan;
  const left = open.filter((setting) => !setting.startsWith('reference.'));
  const rates = openRates.filter((section) => section !== 'reference');
  return {
    ...rest,
    ...shared,
    ...(left.length > 0 && { open: left }),
    ...(rates.length > 0 && { openRates: rates }),
  };
}
