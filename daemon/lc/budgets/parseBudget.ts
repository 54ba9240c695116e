/** Parses the keys of a plan's budget into the tagged union that the mathematics uses. */
import { BudgetError } from '../budgetError.js';
import { layerNameOf, type LayerView } from '../layerView.js';
import { askedOf, GOAL_KEYS, wordsOf, type BudgetSpec } from './budgetSpec.js';
import type { Beside, GoalKind, StructureKind } from './kind.js';
import { CODEBOOK, GOALS, STRUCTURES, type GoalKey, type StructureKey } from './registry.js';
import { shareOfKey } from './values.js';

/** How much is kept: one member per kind of goal. */
export type Goal = { [K in GoalKey]: ReturnType<(typeof GOALS)[K]['parse']> }[GoalKey];

/** A cap on parts of each unit's inputs: one member per kind of structure. */
type StructurePart = { [K in StructureKey]: ReturnType<(typeof STRUCTURES)[K]['parse']> }[StructureKey];

/** A budget without contradictions. */
export interface ParsedBudget extends Beside {
  /** null: keep everything that structures and a codebook allow. */
  readonly goal: Goal | null;
  readonly structures: readonly StructurePart[];
  readonly quantize: ReturnType<(typeof CODEBOOK)['parse']> | undefined;
}

/** The mathematics of a goal, for goals of any kind: `parse` gives parts of its own kind only. */
export const goalKind = (key: GoalKey): GoalKind<Goal> => GOALS[key];
/** The same of a structure. */
export const structureKind = (key: StructureKey): StructureKind<StructurePart> => STRUCTURES[key];

const STRUCTURE_KEYS = Object.keys(STRUCTURES) as StructureKey[];

/** "keep, weights or bytes" */
const listed = (keys: readonly string[]): string =>
  [keys.slice(0, -1).join(', '), keys.at(-1)!].filter((part) => part !== '').join(' or ');
const goalsThat = (takes: 'counted' | 'norm'): readonly GoalKey[] => GOAL_KEYS.filter((key) => GOALS[key].takes[takes]);

/**
 * @throws BudgetError for every error of a budget that does not depend on the layers: two goals, none, invalid values, keys that exclude each other.
 * It names the key.
 */
export function parseBudget(budget: BudgetSpec): ParsedBudget {
  const [goal, second] = GOAL_KEYS.filter((key) => budget[key] !== undefined);
  if (goal && second) throw new BudgetError(second, `contradicts "${goal}"; give one of them`);
  if (askedOf(budget).length === 0) {
    const others = [...STRUCTURE_KEYS, 'quantize'];
    throw new BudgetError('budget', `asks for nothing; give one of ${listed([...GOAL_KEYS, ...others])}`);
  }
  const parsed = goal ? goalKind(goal).parse(budget[goal]!, budget) : null;
  checkManner(budget, goal);
  const quantize = budget.quantize && CODEBOOK.parse(budget.quantize);
  checkCompanions(budget, goal, quantize?.takesStructure ?? true);
  checkUnits(budget, goal);
  return {
    goal: parsed,
    scope: budget.scope ?? 'global',
    limits: budget.layers ?? null,
    units: seesUnitsOf(budget, goal),
    roundTo: budget.roundTo ?? 1,
    structures: STRUCTURE_KEYS.flatMap((key): StructurePart[] => {
      const value = budget[key];
      return value === undefined ? [] : [structureKind(key).parse(value)];
    }),
    quantize,
  };
}

const seesUnitsOf = ({ prune }: BudgetSpec, goal: GoalKey | undefined): boolean =>
  prune === 'neurons' || (goal !== undefined && wordsOf(goal).wholeUnits === true);

/** Rejects a key that cannot be combined with another. */
function clash(budget: BudgetSpec, key: keyof BudgetSpec, other: string, way: string): void {
  if (budget[key] !== undefined) throw new BudgetError(key, `does not go with "${other}"; ${way}`);
}

/** Form, norm and cost: the goal's manner. */
function checkManner(budget: BudgetSpec, goal: GoalKey | undefined): void {
  const penalty = goal !== undefined && wordsOf(goal).penalty === true;
  const { norm = 'l0' } = budget;
  if (budget.form === 'penalty' && !penalty)
    throw new BudgetError('form', 'a penalty needs "alpha", the weight of the cost', 'constraint');
  if (norm !== 'l0' && !(goal && GOALS[goal].takes.norm)) {
    const ways = listed(goalsThat('norm').map((key) => `"${key}"`));
    throw new BudgetError('norm', `${norm} needs ${ways}; ${goal ?? 'this budget'} counts weights, that is l0`, 'l0');
  }
  if (!penalty || norm !== 'l0')
    clash(budget, 'cost', penalty ? 'norm' : (goal ?? askedOf(budget)[0]![0]), 'it is for the l0 penalty');
}

/** Structures, a codebook, floors and caps: what the goal is combined with. */
function checkCompanions(budget: BudgetSpec, goal: GoalKey | undefined, codesTakeStructure: boolean): void {
  if (goal && !GOALS[goal].takes.counted) {
    const way = `give ${listed(goalsThat('counted'))} with it, or leave it alone`;
    for (const key of [...STRUCTURE_KEYS, 'quantize'] as const) clash(budget, key, goal, way);
  }
  if (budget.quantize) {
    clash(budget, 'layers', 'quantize', 'use "scope": "layer", or leave the limits out');
    if (!codesTakeStructure)
      for (const key of STRUCTURE_KEYS) clash(budget, key, 'quantize', `only the "int8" codebook takes a ${key}`);
  }
}

/** For whole units: rejects keys that need single weights. */
function checkUnits(budget: BudgetSpec, goal: GoalKey | undefined): void {
  const whole = goal !== undefined && wordsOf(goal).wholeUnits === true;
  if (whole && budget.prune === 'weights') clash(budget, goal, 'prune', 'leave "prune" out');
  if (!seesUnitsOf(budget, goal)) {
    const way = 'it is for whole neurons and filters: add "prune": "neurons", or leave it out';
    return clash(budget, 'roundTo', goal ?? askedOf(budget)[0]![0], way);
  }
  const { roundTo = 1 } = budget;
  if (!(Number.isInteger(roundTo) && roundTo >= 1))
    throw new BudgetError('roundTo', `${roundTo} is not a whole number from 1 on`, Math.max(1, Math.round(roundTo)));
  const asks = whole ? goal : 'prune';
  for (const key of [...STRUCTURE_KEYS, 'quantize'] as const) clash(budget, key, asks, 'neurons are kept whole');
  const { norm = 'l0' } = budget;
  if (norm !== 'l0') throw new BudgetError('norm', `${norm} does not go with "${asks}"; neurons are counted`, 'l0');
  if (budget.scope === 'layer' && !(goal && GOALS[goal].takes.localUnits)) {
    throw new BudgetError('scope', `whole neurons under "${goal}" need a global budget; or give "neurons"`, 'global');
  }
  if (!whole) clash(budget, 'layers', asks, 'limits on neurons need a "neurons" budget');
}

/**
 * Checks floors and caps against the layers.
 * @throws BudgetError if there are no layers, a limit names an unknown layer, or limits cannot be combined with the budget.
 */
export function requireLayers({ goal, scope, limits }: ParsedBudget, layers: readonly LayerView[]): void {
  if (layers.length === 0) throw new BudgetError('layers', 'there is no prunable layer to spend the budget on');
  if (limits === null) return;
  if (goal && !GOALS[goal.kind].takes.limits)
    throw new BudgetError('layers', `floors and caps need a budget that is shared out, not "${goal.kind}"`);
  if (scope === 'layer') throw new BudgetError('layers', 'floors and caps are for a global budget; leave "scope" out');
  const names = new Set(layers.filter(({ size }) => size > 0).map(layerNameOf));
  for (const [name, { floor, cap }] of Object.entries(limits)) {
    if (!names.has(name)) {
      const some = [...names].slice(0, 8).join(', ') + (names.size > 8 ? ', ...' : '');
      throw new BudgetError(`layers.${name}`, `there is no such prunable layer; there are ${some}`);
    }
    const low = floor === undefined ? 0 : shareOfKey(`layers.${name}.floor`, floor);
    const high = cap === undefined ? 1 : shareOfKey(`layers.${name}.cap`, cap);
    if (low > high) throw new BudgetError(`layers.${name}.floor`, `${floor} is above the cap of ${cap}`);
  }
}
