import { BudgetError, layerNameOf, seesUnits, type BudgetSpec, type LayerView } from './budgetSpec.js';
import { parseAmount, parseShare, type Amount } from './share.js';

/** The keys that say how much to keep; a budget has one of them at most. */
export const GOALS = ['keep', 'weights', 'bytes', 'flops', 'neurons', 'alpha', 'radius'] as const;
export type Goal = (typeof GOALS)[number];

/** The budget's goal; null where a pattern or a codebook alone is asked for. */
export const goalOf = (budget: BudgetSpec): Goal | null => GOALS.find((key) => budget[key] !== undefined) ?? null;

/** N and M of "2:4". @throws BudgetError unless 1 <= N <= M. */
export function parsePattern(pattern: string): { n: number; m: number } {
  const [, nText, mText] = /^(\d+):(\d+)$/.exec(pattern) ?? [];
  const n = Number(nText);
  const m = Number(mText);
  if (nText === undefined || !Number.isSafeInteger(n) || !Number.isSafeInteger(m)) {
    throw new BudgetError('pattern', `"${pattern}" is not N:M, such as "2:4"`, '2:4');
  }
  if (m < 1) throw new BudgetError('pattern', `${pattern} has blocks of ${m} weights; the least is 1:1`, '1:1');
  if (n < 1) throw new BudgetError('pattern', `${pattern} keeps nothing; the least is 1:${m}`, `1:${m}`);
  if (n > m) throw new BudgetError('pattern', `${pattern} keeps more than it has; the most is ${m}:${m}`, `${m}:${m}`);
  return { n, m };
}

/** parseAmount for the value of a key. @throws BudgetError */
export function amountOfKey(key: string, value: number | string): Amount {
  try {
    return parseAmount(value);
  } catch {
    throw new BudgetError(key, `${value} is neither a number of them nor a share between 0% and 100%`, '100%');
  }
}

/** parseShare for the value of a key. @throws BudgetError */
export function shareOfKey(key: string, value: number | string): number {
  try {
    return parseShare(value);
  } catch {
    throw new BudgetError(key, `${value} is not a share between 0% and 100%`, key.includes('.') ? undefined : '100%');
  }
}

/**
 * Everything that can be wrong with a budget whatever its numbers: two goals, none, keys that do not go together, limits
 * on layers that are not there.
 * @throws BudgetError naming the key.
 */
export function validateBudget(budget: BudgetSpec, layers: readonly LayerView[]): void {
  if (layers.length === 0) throw new BudgetError('layers', 'there is no prunable layer to spend the budget on');
  const given = GOALS.filter((key) => budget[key] !== undefined);
  const [goal, second] = given;
  if (goal && second) throw new BudgetError(second, `contradicts "${goal}"; give one of them`);
  if (!goal && budget.pattern === undefined && budget.quantize === undefined) {
    throw new BudgetError('budget', `asks for nothing; give one of ${GOALS.join(', ')}, pattern or quantize`);
  }
  const clash = (key: keyof BudgetSpec, other: keyof BudgetSpec, way: string): void => {
    if (budget[key] !== undefined) throw new BudgetError(key, `does not go with "${other}"; ${way}`);
  };

  for (const key of ['alpha', 'radius'] as const) {
    const value = budget[key];
    if (value !== undefined && !(value > 0 && value < Infinity)) {
      throw new BudgetError(key, `${value} is not a positive number`);
    }
  }
  if (budget.form === 'penalty' && goal !== 'alpha') {
    throw new BudgetError('form', 'a penalty needs "alpha", the weight of the cost', 'constraint');
  }
  if (budget.form === 'constraint' && goal === 'alpha') {
    throw new BudgetError('form', '"alpha" makes it a penalty', 'penalty');
  }
  const norm = budget.norm ?? 'l0';
  if (norm !== 'l0' && goal !== 'alpha' && goal !== 'radius') {
    throw new BudgetError(
      'norm',
      `${norm} needs "alpha" or "radius"; ${goal ?? 'this budget'} counts weights, that is l0`,
      'l0',
    );
  }
  if (goal === 'radius' && norm === 'l0') {
    throw new BudgetError('radius', 'bounds a norm; add "norm": "l1" or "l2", or give "weights" for l0');
  }
  if (goal === 'alpha' || goal === 'radius' || goal === 'flops' || goal === 'neurons') {
    clash('pattern', goal, 'give keep, weights or bytes with it, or leave it alone');
    clash('quantize', goal, 'give keep, weights or bytes with it, or leave it alone');
  }
  if (goal !== 'alpha' || norm !== 'l0')
    clash('cost', goal === 'alpha' ? 'norm' : (goal ?? 'pattern'), 'it is for the l0 penalty');
  if (budget.quantize !== undefined) {
    const { codebook } = budget.quantize;
    clash('layers', 'quantize', 'use "scope": "layer", or leave the limits out');
    if (codebook !== 'int8') clash('pattern', 'quantize', 'only the "int8" codebook takes a pattern');
    if (typeof codebook === 'number' && !(Number.isInteger(codebook) && codebook >= 1 && codebook <= 256)) {
      throw new BudgetError('quantize', `a codebook has 1 to 256 codes, not ${codebook}`);
    }
  }
  if (budget.prune === 'weights') clash('neurons', 'prune', 'leave "prune" out');
  if (seesUnits(budget)) {
    const neurons = budget.neurons === undefined ? 'prune' : 'neurons';
    clash('pattern', neurons, 'neurons are kept whole');
    clash('quantize', neurons, 'neurons are kept whole');
    if (norm !== 'l0')
      throw new BudgetError('norm', `${norm} does not go with "${neurons}"; neurons are counted`, 'l0');
    if (budget.scope === 'layer' && goal !== 'neurons' && goal !== 'alpha') {
      throw new BudgetError('scope', `whole neurons under "${goal}" need a global budget; or give "neurons"`, 'global');
    }
    if (goal !== 'neurons') clash('layers', neurons, 'limits on neurons need a "neurons" budget');
  }
  if (budget.layers !== undefined) validateLayers(budget.layers, budget, layers);
}

function validateLayers(
  limits: NonNullable<BudgetSpec['layers']>,
  budget: BudgetSpec,
  layers: readonly LayerView[],
): void {
  const goal = goalOf(budget);
  if (goal === 'alpha' || goal === 'radius') {
    throw new BudgetError('layers', `floors and caps need a budget that is shared out, not "${goal}"`);
  }
  if (budget.scope === 'layer') {
    throw new BudgetError('layers', 'floors and caps are for a global budget; leave "scope" out');
  }
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
