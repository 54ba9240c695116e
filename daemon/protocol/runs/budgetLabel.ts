/** The shortest text that distinguishes a budget: "1%", "2,662 weights", "40 kB". Without validators, because the page uses it too. */
import { askedOf, isKind, isPenalty, seesUnits, wordsOf } from '../../lc/budgets/budgetSpec.js';
import type { Budget } from '../budget.js';

/** The other keys, if they differ from their defaults. */
const manner = ({ norm, prune, scope }: Budget, isWhole: boolean): string[] => [
  norm === undefined || norm === 'l0' ? '' : norm,
  prune === 'neurons' && !isWhole ? 'whole neurons' : '',
  scope === 'layer' ? 'per layer' : '',
];

/** '' if it has no requirement. */
export function budgetLabel(budget: Budget): string {
  const asked = askedOf(budget).map(([kind, value]) => ({ ...wordsOf(kind), value }));
  const codes = asked.filter(({ role }) => role === 'codebook');
  const amounts = asked.filter(({ role }) => role !== 'codebook');
  const say = (parts: typeof asked) => parts.map(({ label, value }) => label(value));
  // "10 neurons" are always whole ones.
  const isWhole = asked.some(({ wholeUnits }) => wholeUnits);
  return [...say(amounts), ...manner(budget, isWhole), ...say(codes)].filter((part) => part !== '').join(', ');
}

/** Whether a key of a budget says how much is kept: a goal or a structure. A new budget replaces those, and leaves the others. */
export const isAmount = (key: string): boolean => isKind(key) && wordsOf(key).role !== 'codebook';

/** Whether the weights kept by each layer add up to the budget's amount: not for neurons, nor for penalties. */
export const countsWeights = (budget: Budget): boolean => !seesUnits(budget) && !isPenalty(budget);

/** The label of a whole plan: its path from the first budget to the last, or its tasks. */
export function planBudgetLabel(plan: {
  readonly tasks: readonly { readonly name: string; readonly budget: Budget }[];
  readonly path?: { readonly budgets: readonly Budget[] } | undefined;
}): string {
  const { tasks, path } = plan;
  if (path) {
    const [first, last] = [path.budgets[0], path.budgets.at(-1)];
    return path.budgets.length < 2 ? budgetLabel(first!) : `${budgetLabel(first!)} … ${budgetLabel(last!)}`;
  }
  if (tasks.length === 1) return budgetLabel(tasks[0]!.budget);
  return tasks.map(({ name, budget }) => `${name}: ${budgetLabel(budget)}`).join('; ');
}
