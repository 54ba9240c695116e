import { KeptUnits, type UnitCosts } from './unitCosts.js';

/** The numbers of units that a kind may keep, ascending from 0, and the sum of the squared norms of as many of its largest. */
export interface Levels {
  readonly counts: Uint32Array;
  readonly values: Float64Array;
}

/** Which units stay: those that maximise value - rate * cost, at a cost within the budget. */
export interface UnitProblem {
  readonly costs: UnitCosts;
  /** By kind. */
  readonly levels: readonly Levels[];
  /** By kind, the lowest and the highest level. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Infinity in penalty forms. */
  readonly budget: number;
  /** Value that a unit of cost is worth; 0 for constraints. */
  readonly rate: number;
}

/** Most nodes of the exact search, which is not begun if there are more choices. */
const NODES = 1 << 15;
const CHOICES = 2 ** 40;
/** Most exchanges tried. */
const TRIALS = 1 << 14;

/** A choice of levels, with its value and cost. */
class Choice {
  readonly level: Int32Array;
  readonly kept: KeptUnits;
  value = 0;

  constructor(
    private readonly problem: UnitProblem,
    level: Int32Array,
  ) {
    this.level = level.slice();
    this.kept = new KeptUnits(problem.costs, level.map((at, kind) => problem.levels[kind]!.counts[at]!)); // prettier-ignore
    level.forEach((at, kind) => (this.value += problem.levels[kind]!.values[at]!));
  }

  get fits(): boolean {
    return this.kept.total <= this.problem.budget;
  }

  get merit(): number {
    return this.value - this.problem.rate * this.kept.total;
  }

  /** The change of value and cost that so many levels make. */
  difference(kind: number, by: number): { readonly value: number; readonly cost: number } {
    const { counts, values } = this.problem.levels[kind]!;
    const at = this.level[kind]!;
    return { value: values[at + by]! - values[at]!, cost: this.kept.difference(kind, counts[at + by]! - counts[at]!) };
  }

  move(kind: number, by: number): void {
    const { counts, values } = this.problem.levels[kind]!;
    const at = this.level[kind]!;
    this.kept.add(kind, counts[at + by]! - counts[at]!);
    this.value += values[at + by]! - values[at]!;
    this.level[kind] = at + by;
  }

  moveTo(level: Int32Array): void {
    level.forEach((at, kind) => at !== this.level[kind] && this.move(kind, at - this.level[kind]!));
  }
}

/** Takes away what is worth least for its cost, until the rest fits and is worth its cost. */
function shrink(choice: Choice, { costs, low, rate }: UnitProblem): void {
  for (;;) {
    let [worst, least] = [-1, Infinity];
    for (let kind = 0; kind < costs.kinds; kind++) {
      if (choice.level[kind] === low[kind]) continue;
      const { value, cost } = choice.difference(kind, -1);
      const worth = cost === 0 ? Infinity : value / cost;
      if (worth < least) [worst, least] = [kind, worth];
    }
    if (worst < 0 || (choice.fits && least > rate)) return;
    choice.move(worst, -1);
  }
}

/** Adds what is worth most for its cost, as long as something fits that is worth its cost. */
function fill(choice: Choice, { costs, high, budget, rate }: UnitProblem): void {
  for (;;) {
    let [best, most] = [-1, rate];
    for (let kind = 0; kind < costs.kinds; kind++) {
      if (choice.level[kind] === high[kind]) continue;
      const { value, cost } = choice.difference(kind, 1);
      if (choice.kept.total + cost > budget) continue;
      const worth = cost === 0 ? Infinity : value / cost;
      if (worth > most) [best, most] = [kind, worth];
    }
    if (best < 0) return;
    choice.move(best, 1);
  }
}

/** Exchanges units of one kind for one of another, as long as that is better. */
function exchange(choice: Choice, problem: UnitProblem): void {
  const { costs, low, high } = problem;
  let trials = 0;
  for (let improved = true; improved;) {
    improved = false;
    for (let more = 0; more < costs.kinds; more++)
      for (let less = 0; less < costs.kinds; less++) {
        if (more === less || choice.level[more] === high[more] || choice.level[less] === low[less]) continue;
        if (++trials > TRIALS) return;
        const [before, merit] = [choice.level.slice(), choice.merit];
        choice.move(more, 1);
        do choice.move(less, -1);
        while (!choice.fits && choice.level[less]! > low[less]!);
        if (choice.fits) fill(choice, problem);
        if (choice.fits && choice.merit > merit + 1e-12 * Math.abs(merit)) improved = true;
        else choice.moveTo(before);
      }
  }
}

/** Tries all choices that can be better than the given one. @returns the best, or null after too many nodes. */
function best(given: Choice, problem: UnitProblem): Int32Array | null {
  const { costs, levels, low, high, rate, budget } = problem;
  if (levels.reduce((product, _, kind) => product * (high[kind]! - low[kind]! + 1), 1) > CHOICES) return null;
  const choice = new Choice(problem, low);
  // The most value that the kinds from each on can add.
  const rest = new Float64Array(costs.kinds + 1);
  for (let kind = costs.kinds - 1; kind >= 0; kind--) {
    const { values } = levels[kind]!;
    rest[kind] = rest[kind + 1]! + values[high[kind]!]! - values[low[kind]!]!;
  }
  let found = given.level.slice();
  let merit = given.fits ? given.merit : -Infinity;
  let nodes = 0;
  const search = (kind: number): boolean => {
    if (++nodes > NODES) return false;
    if (kind === costs.kinds) {
      if (choice.merit > merit) [found, merit] = [choice.level.slice(), choice.merit];
      return true;
    }
    let complete = true;
    for (;;) {
      // More units only cost more.
      if (choice.kept.total > budget) break;
      if (choice.value + rest[kind + 1]! - rate * choice.kept.total > merit) complete &&= search(kind + 1);
      if (!complete || choice.level[kind] === high[kind]) break;
      choice.move(kind, 1);
    }
    choice.move(kind, low[kind]! - choice.level[kind]!);
    return complete;
  };
  return search(0) ? found : null;
}

/**
 * An upper bound of the merit. A product of sums of non-negative numbers is at least its tangent at the lowest point, as at the highest
 * one, so that a mixture of both is a cost without products that no choice exceeds; under it the best choice with fractions is known.
 */
function bound({ costs, levels, low, high, budget, rate }: UnitProblem): number {
  const corner = (at: Int32Array, by: number) => {
    const counts = at.map((level, kind) => levels[kind]!.counts[level]!);
    const kept = new KeptUnits(costs, counts);
    const slopes = Float64Array.from(counts, (_, kind) => by * kept.difference(kind, by));
    return { slopes, offset: counts.reduce((sum, n, kind) => sum - n * slopes[kind]!, kept.total) };
  };
  const [bottom, top] = [corner(low, 1), corner(high, -1)];
  let least = Infinity;
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const mix = (a: number, b: number) => (1 - share) * a + share * b;
    let spent = mix(bottom.offset, top.offset);
    let merit = 0;
    const items: { value: number; cost: number }[] = [];
    levels.forEach(({ counts, values }, kind) => {
      const slope = mix(bottom.slopes[kind]!, top.slopes[kind]!);
      merit += values[low[kind]!]!;
      spent += slope * counts[low[kind]!]!;
      for (let at = low[kind]! + 1; at <= high[kind]!; at++)
        items.push({ value: values[at]! - values[at - 1]!, cost: slope * (counts[at]! - counts[at - 1]!) });
    });
    merit -= rate * spent;
    items.sort((a, b) => b.value * a.cost - a.value * b.cost);
    for (const { value, cost } of items) {
      const part = cost === 0 ? 1 : Math.min(1, Math.max(0, budget - spent) / cost);
      merit += part * Math.max(0, value - rate * cost);
      spent += part * cost;
    }
    least = Math.min(least, merit);
  }
  return least;
}

export interface UnitsChosen {
  /** By kind, how many stay. */
  readonly counts: Uint32Array;
  /** Upper bound on how much better the best choice is; 0 if this is the best. */
  gap(): number;
}

/**
 * Maximises value - rate * cost within the budget. The cost is a product, which makes the problem hard: small ones are solved exactly
 * (branch and bound), others by taking units away in the order of their worth, and exchanging them. No further unit fits into the
 * budget that the result leaves, and the result depends on the problem alone.
 *
 * If the lowest levels exceed the budget, they are the result.
 */
export function chooseUnits(problem: UnitProblem): UnitsChosen {
  // What is worth least for its cost depends on what is left, so that the way down matters: the best of several is taken.
  const choices = [1, 3 / 4, 1 / 2, 1 / 4, 0].map((share) => {
    const choice = new Choice(problem, problem.high.map((high, kind) => problem.low[kind]! + Math.floor(share * (high - problem.low[kind]!)))); // prettier-ignore
    shrink(choice, problem);
    fill(choice, problem);
    exchange(choice, problem);
    return choice;
  });
  const choice = choices.reduce((best, one) => (one.fits && (!best.fits || one.merit > best.merit) ? one : best));
  const exact = best(choice, problem);
  const level = exact ?? choice.level;
  const { merit } = choice;
  return {
    counts: Uint32Array.from(level, (at, kind) => problem.levels[kind]!.counts[at]!),
    gap: () => (exact ? 0 : Math.max(0, bound(problem) - merit)),
  };
}
