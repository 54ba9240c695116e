/** A budget in as few words as tell it from others: "1%", "2,662 weights", "40 kB". Without validators: the page has it too. */
import { bytes, count, shortPercent } from '../format.js';
import type { Budget } from '../plan.js';

const share = (value: string | number): string =>
  typeof value === 'number' ? shortPercent(value) : value.replace(/\s+/g, '');

/** What each key says of the budget, in the order in which they are read. */
const PARTS: { readonly [K in keyof Budget]?: (value: NonNullable<Budget[K]>) => string } = {
  keep: share,
  weights: (n) => `${count(n)} weights`,
  bytes: (size) => (typeof size === 'number' ? bytes(size) : size),
  flops: (value) => `${share(value)} FLOPs`,
  neurons: (value) =>
    typeof value === 'number' && value >= 1 ? `${count(value)} neurons` : `${share(value)} of neurons`,
  pattern: (pattern) => pattern,
  alpha: (alpha) => `alpha ${alpha}`,
  radius: (radius) => `radius ${radius}`,
  norm: (norm) => (norm === 'l0' ? '' : norm),
  prune: (what) => (what === 'neurons' ? 'whole neurons' : ''),
  scope: (scope) => (scope === 'layer' ? 'per layer' : ''),
  quantize: ({ codebook }) => (typeof codebook === 'number' ? `${codebook} values` : codebook),
};

/** '' where it asks for nothing. */
export function budgetLabel(budget: Budget): string {
  const parts = Object.entries(PARTS).map(([key, say]) => {
    const value = budget[key as keyof Budget];
    return value === undefined ? '' : (say as (value: unknown) => string)(value);
  });
  // "10 neurons" are whole ones.
  const isPlain = budget.neurons !== undefined;
  return parts.filter((part) => part !== '' && !(isPlain && part === 'whole neurons')).join(', ');
}

/** Of a whole plan: its path from the first budget to the last, or its tasks. */
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
