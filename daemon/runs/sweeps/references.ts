/** Which points of a sweep train the same reference: it is trained once, by the first of them. */
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';

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
