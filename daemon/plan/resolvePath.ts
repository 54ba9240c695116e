/** Resolves a plan for `lc-prune path`, or with a goal in place of a budget: its only task at several budgets. */
import { amountOf, defaultPath, descending, withListed } from '../lc/path.js';
import { BudgetError } from '../lc/budgetError.js';
import { askedOf } from '../lc/budgets/budgetSpec.js';
import { parseShare } from '../lc/share.js';
import { UserError } from '../protocol/errors.js';
import type { PathSettings, Plan } from '../protocol/plan.js';
import type { ResolvedPath, ResolvedPlan } from '../protocol/resolvedPlan.js';

export const PATH = { points: 8, refinements: 4, warmStart: 0.7 } as const;

const BOUNDS = ['maxErrorIncrease', 'maxError'] as const;

/** The bounds on the error in a `path` section. */
export const boundsOf = (path: PathSettings | undefined): (typeof BOUNDS)[number][] =>
  BOUNDS.filter((key) => path?.[key] !== undefined);

/**
 * Whether the plan asks for the smallest network that meets a goal: it bounds the error and has no amount. Other keys of its budget (floors, caps)
 * apply to every budget that is tried.
 */
export const isSearch = ({ budget = {}, tasks, path }: Plan): boolean =>
  tasks === undefined && boundsOf(path).length > 0 && askedOf(budget).length === 0;

/** The plan's `path` section merged with a command's settings: a bound of the command replaces the plan's. */
export function mergedPath(own: PathSettings | undefined, added: PathSettings): PathSettings {
  const kept = Object.entries(own ?? {}).filter(
    ([key]) => boundsOf(added).length === 0 || !BOUNDS.some((bound) => bound === key),
  );
  return { ...Object.fromEntries(kept), ...added };
}

/**
 * @param settings the plan's `path` section merged with the command's settings (`mergedPath`). @returns the plan with its path, large to small.
 * @throws UserError('plan-invalid'
 * 'budget-impossible') naming the field. Whether each budget can be met is checked when the run starts, before anything is written.
 */
export function withPath(plan: ResolvedPlan, settings: PathSettings, file: string): ResolvedPlan {
  const [task, second] = plan.tasks;
  if (second) {
    throw new UserError('plan-invalid', `${file}: "tasks": a path varies one budget; give one task, or "budget"`, {
      file,
      field: 'tasks',
    });
  }
  const fail = (field: string, problem: string): UserError =>
    new UserError('budget-impossible', `${file}: "${field}": ${problem}`, { file, field });
  try {
    const { budget } = task!;
    const budgets = settings.budgets
      ? settings.budgets.map((value) => withListed(budget, value))
      : defaultPath(budget, settings.points ?? PATH.points);
    for (const one of budgets) if (!(amountOf(one) > 0)) throw fail('path.budgets', 'a budget of 0 keeps nothing');
    const [, second] = boundsOf(settings);
    if (second) throw fail(`path.${second}`, `two bounds on the error; give one of ${BOUNDS.join(', ')}`);
    const share = (value: number | string | undefined) => (value === undefined ? null : parseShare(value));
    const path: ResolvedPath = {
      budgets: descending(budgets),
      warmStart: settings.warmStart ?? PATH.warmStart,
      maxErrorIncrease: share(settings.maxErrorIncrease),
      maxError: share(settings.maxError),
      refinements: settings.refinements ?? PATH.refinements,
    };
    // A name of its own, because its result differs from that of the plan's run.
    return { ...plan, name: `${plan.name}-path`, path };
  } catch (error) {
    if (error instanceof BudgetError) throw fail('budget', error.message);
    if (error instanceof RangeError) throw fail('path.budgets', error.message);
    throw error;
  }
}
