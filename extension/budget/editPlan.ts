import { applyEdits, modify, parse, type FormattingOptions, type JSONPath } from 'jsonc-parser';
import type { OtherRate } from '../../daemon/protocol/cautions.js';
import { isAmount } from '../../daemon/protocol/runs/budgetLabel.js';
import type { Budget, DataSource, ErrorBound } from '../../daemon/protocol/plan.js';
import { planPercent } from '../../daemon/protocol/format.js';

function set(text: string, path: JSONPath, value: unknown): string {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  const formattingOptions: FormattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  return applyEdits(text, modify(text, path, value, { formattingOptions }));
}

const planOf = (
  text: string,
): { budget?: Record<string, unknown>; exclude?: unknown; tasks?: unknown; path?: Record<string, unknown> } =>
  (parse(text) as object | undefined) ?? {};

/**
 * The plan's text with another global budget. Comments and everything else stay: norm, scope, codebook, floors and caps. A list of tasks is replaced
 * by the one budget.
 */
export function withBudget(text: string, budget: Budget): string {
  const plan = planOf(text);
  const kept = Object.fromEntries(Object.entries(plan.budget ?? {}).filter(([key]) => !isAmount(key)));
  let out = plan.tasks === undefined ? text : set(text, ['tasks'], undefined);
  // What was typed replaces what was there; its keys come first.
  out = set(out, ['budget'], { ...budget, ...kept, ...budget });
  // A goal in place of a budget is removed; one beside a budget belongs to the path and stays.
  return plan.budget === undefined || !Object.keys(plan.budget).some(isAmount) ? withoutBound(out) : out;
}

/** Keys of a budget that apply to every amount that a search tries. */
const BESIDES: readonly (keyof Budget)[] = ['scope', 'layers', 'prune', 'roundTo'];
const BOUNDS = ['maxErrorIncrease', 'maxError'] as const;

/** The plan's text with a goal: a bound on the error in place of budget and tasks. The other keys of `path` stay. */
export function withBound(text: string, bound: ErrorBound): string {
  const plan = planOf(text);
  const kept = Object.entries(plan.budget ?? {}).filter(([key]) => BESIDES.includes(key as keyof Budget));
  let out = plan.tasks === undefined ? text : set(text, ['tasks'], undefined);
  if (plan.budget !== undefined) out = set(out, ['budget'], kept.length > 0 ? Object.fromEntries(kept) : undefined);
  // The plan's list of budgets may be far from the one that meets the goal.
  const path = Object.entries(plan.path ?? {}).filter(
    ([key]) => key !== 'budgets' && !BOUNDS.some((one) => one === key),
  );
  return set(out, ['path'], { ...Object.fromEntries(path), ...bound });
}

/** The same plan without a goal, its path of budgets aside. */
function withoutBound(text: string): string {
  const { path } = planOf(text);
  if (!path || !BOUNDS.some((key) => key in path)) return text;
  const kept = Object.entries(path).filter(([key]) => !BOUNDS.some((one) => one === key));
  return set(text, ['path'], kept.length > 0 ? Object.fromEntries(kept) : undefined);
}

/** The plan's text with a floor and a cap for one layer; null removes a limit. */
export function withLayerLimits(
  text: string,
  layer: string,
  limits: { floor: string | null; cap: string | null },
): string {
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
  return set(text, ['budget', 'layers', layer], Object.keys(given).length > 0 ? given : undefined);
}

/**
 * The plan's text with these floors, as shares by layer; null removes a layer's floor. Caps and all else stay. A section that becomes empty is
 * removed too. In a plan with a list of tasks, it must be the only one.
 */
export function withFloors(text: string, floors: ReadonlyMap<string, number | null>): string {
  const { tasks } = planOf(text);
  const budget: JSONPath = Array.isArray(tasks) ? ['tasks', 0, 'budget'] : ['budget'];
  const at = (path: JSONPath): unknown => path.reduce((value: unknown, key) => (value as Record<string, unknown> | undefined)?.[key], planOf(out)); // prettier-ignore
  let out = text;
  for (const [layer, floor] of floors) {
    const path = [...budget, 'layers', layer, 'floor'];
    if (floor !== null) out = set(out, path, planPercent(floor));
    else if (at(path) !== undefined) {
      out = set(out, path, undefined);
      for (let end = path.length - 1; end > budget.length; end--)
        if (isEmpty(at(path.slice(0, end)))) out = set(out, path.slice(0, end), undefined);
    }
  }
  return out;
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** The plan's text with another learning rate in one of its sections; `value` null removes it. */
export function withLearningRate(text: string, { section, value }: OtherRate): string {
  const before = (parse(text) as Record<string, { learningRate?: unknown } | undefined> | undefined)?.[section];
  if (value === null && before?.learningRate === undefined) return text;
  return set(text, [section, 'learningRate'], value ?? undefined);
}

/** The plan's text with one more excluded layer. */
export function withExcluded(text: string, layer: string): string {
  const { exclude } = planOf(text);
  const names = Array.isArray(exclude) ? (exclude as string[]) : [];
  return names.includes(layer) ? text : set(text, ['exclude'], [...names, layer]);
}

/** The plan's text with other data. */
export const withData = (text: string, data: DataSource): string => set(text, ['data'], data);
