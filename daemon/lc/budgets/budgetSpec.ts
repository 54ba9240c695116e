/** A budget as in a plan, and its properties that follow from the keys alone. */
import { partLength, type LayerView } from '../layerView.js';
import type { Words } from './kind.js';
import { WORDS, type GoalKey, type Kind } from './registry.js';
import type { MannerSpec, Value, Values } from './values.js';

/** The protocol's Budget validates this type; a test keeps both equal. */
export type BudgetSpec = {
  readonly [K in Kind]?: Values[(typeof WORDS)[K]['value']] | undefined;
} & MannerSpec;

const KINDS = Object.keys(WORDS) as Kind[];

/** Whether a key of a budget is a requirement. */
export const isKind = (key: string): key is Kind => Object.hasOwn(WORDS, key);

/** The description of a kind, for values of any kind. */
export const wordsOf = (kind: Kind): Words => WORDS[kind];

/** The requirements of the budget, in the order of the registry, with their values. */
export const askedOf = (budget: BudgetSpec): readonly (readonly [Kind, Value])[] =>
  KINDS.flatMap((kind) => {
    const value = budget[kind];
    return value === undefined ? [] : [[kind, value] as const];
  });

/** The keys that say how much is kept. A budget has at most one of them. */
export const GOAL_KEYS = KINDS.filter((kind) => WORDS[kind].role === 'goal') as GoalKey[];

/** The budget's goal; null if it has only a structure or a codebook. */
export const goalOf = (budget: BudgetSpec): GoalKey | null =>
  GOAL_KEYS.find((key) => budget[key] !== undefined) ?? null;

/** Whether whole neurons and filters are removed: the task's ranges must then contain each kernel's unit vectors too. */
export const seesUnits = (budget: BudgetSpec): boolean =>
  budget.prune === 'neurons' || askedOf(budget).some(([kind]) => wordsOf(kind).wholeUnits);

/** Whether it is a penalty, whose threshold depends on mu: the number of kept weights is known only after the run. */
export const isPenalty = (budget: BudgetSpec): boolean => askedOf(budget).some(([kind]) => wordsOf(kind).penalty);

/** Number of weights of a layer in the budget's view: the kernel, and if neurons are pruned its unit vectors. */
export const viewLength = (layer: LayerView, budget: BudgetSpec): number => partLength(layer, seesUnits(budget));

/** The left side of "1% = 2,662 weights": the budget's first requirement. */
export function phraseOf(budget: BudgetSpec): string {
  const [first] = askedOf(budget);
  if (!first) return 'budget';
  const [kind, value] = first;
  const words = wordsOf(kind);
  return (words.phrase ?? words.label)(value);
}
