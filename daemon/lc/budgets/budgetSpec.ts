/** A budget as a plan writes it, and what can be said of it by its keys alone. */
import { partLength, type LayerView } from '../layerView.js';
import type { Words } from './kind.js';
import { WORDS, type GoalKey, type Kind } from './registry.js';
import type { MannerSpec, Value, Values } from './values.js';

/** The protocol's Budget is the validator of this; a test keeps the two the same. */
export type BudgetSpec = {
  readonly [K in Kind]?: Values[(typeof WORDS)[K]['value']] | undefined;
} & MannerSpec;

const KINDS = Object.keys(WORDS) as Kind[];

/** Whether a key of a budget asks for something. */
export const isKind = (key: string): key is Kind => Object.hasOwn(WORDS, key);

/** The words of a kind, for values of any kind. */
export const wordsOf = (kind: Kind): Words => WORDS[kind];

/** What the budget asks for, in the order of the registry, with the values. */
export const askedOf = (budget: BudgetSpec): readonly (readonly [Kind, Value])[] =>
  KINDS.flatMap((kind) => {
    const value = budget[kind];
    return value === undefined ? [] : [[kind, value] as const];
  });

/** The keys that say how much is kept. A budget has one of them at most. */
export const GOAL_KEYS = KINDS.filter((kind) => WORDS[kind].role === 'goal') as GoalKey[];

/** The budget's goal; null where a structure or a codebook alone is asked for. */
export const goalOf = (budget: BudgetSpec): GoalKey | null =>
  GOAL_KEYS.find((key) => budget[key] !== undefined) ?? null;

/** Whether whole neurons and filters are removed: the task's ranges must hold each kernel's unit vectors too. */
export const seesUnits = (budget: BudgetSpec): boolean =>
  budget.prune === 'neurons' || askedOf(budget).some(([kind]) => wordsOf(kind).wholeUnits);

/** Whether it is a penalty, whose threshold depends on mu: what it keeps is known after the run only. */
export const isPenalty = (budget: BudgetSpec): boolean => askedOf(budget).some(([kind]) => wordsOf(kind).penalty);

/** Weights of a layer's part of the budget's view: the kernel, and where neurons are pruned its unit vectors. */
export const viewLength = (layer: LayerView, budget: BudgetSpec): number => partLength(layer, seesUnits(budget));

/** The left side of "1% = 2,662 weights": what the budget asks for first. */
export function phraseOf(budget: BudgetSpec): string {
  const [first] = askedOf(budget);
  if (!first) return 'budget';
  const [kind, value] = first;
  const words = wordsOf(kind);
  return (words.phrase ?? words.label)(value);
}
