import type { Groups } from './groups.js';

/** The quantity that a budget of whole units counts. */
export type UnitQuantity = 'weights' | 'FLOPs' | 'neurons';

/** A kernel without some units is a smaller kernel: its cost is the product of what is left of its axes. */
interface Box {
  /** Cost of an entry, times the lengths of the axes that no unit belongs to. */
  readonly cost: number;
  /** By axis, the indices that stay. */
  readonly stays: readonly number[];
}

/** The indices of one unit on the axes of a box. */
interface Use {
  readonly box: number;
  readonly perUnit: readonly number[];
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/**
 * The cost of the units that stay, as a network counts that has only these: a filter costs its own weights for the inputs that stay, and
 * the weights of the filters that read it. So the cost is no sum over units.
 *
 * Units of one kind have equally many indices on the same axes. They can be exchanged for each other, so that the cost depends on the
 * number of each kind alone.
 */
export class UnitCosts {
  readonly kindOf: Uint32Array;
  /** Units of each kind, by number of the kind. */
  readonly sizes: Uint32Array;
  /** The class of each kind (see Groups): a class has one kind, unless its layers share some of their units only. */
  readonly classOf: Uint32Array;
  readonly boxes: readonly Box[];
  /** By kind, the boxes that have its units. */
  readonly uses: readonly (readonly Use[])[];
  /** By kind, the indices of one unit on each axis of the kernels. */
  readonly #indices: readonly (readonly number[])[];

  constructor(groups: Groups, quantity: UnitQuantity) {
    const own: Map<number, number[]>[] = Array.from({ length: groups.count }, () => new Map<number, number[]>());
    const boxes = groups.kernels.map(({ size, flopsPerWeight, axes }, box) => {
      let rest = size;
      const stays = axes.map(({ groupOf }, axis) => {
        rest /= groupOf.length;
        let staying = 0;
        for (const g of groupOf) {
          if (g < 0) {
            staying++;
            continue;
          }
          const there = own[g]!.get(box) ?? new Array<number>(axes.length).fill(0);
          there[axis]!++;
          own[g]!.set(box, there);
        }
        return staying;
      });
      const cost = quantity === 'FLOPs' ? flopsPerWeight : Number(quantity === 'weights');
      return { cost: rest * cost, stays };
    });
    const numbers = new Map<string, number>();
    const uses: Use[][] = [];
    this.kindOf = Uint32Array.from(own, (indices, g) => {
      const found = [...indices].map(([box, perUnit]) => ({ box, perUnit }));
      const key = `${groups.classOfGroup[g]!} ${found.map(({ box, perUnit }) => `${box}:${perUnit.join()}`).join(' ')}`;
      if (!numbers.has(key)) numbers.set(key, uses.push(found) - 1);
      return numbers.get(key)!;
    });
    this.sizes = new Uint32Array(uses.length);
    this.classOf = new Uint32Array(uses.length);
    this.kindOf.forEach((kind, g) => {
      this.sizes[kind]!++;
      this.classOf[kind] = groups.classOfGroup[g]!;
    });
    this.#indices = uses.map((of) => of.flatMap(({ perUnit }) => perUnit.filter((n) => n > 0)));
    // Neurons are a sum: a box of one axis, on which each has one index.
    if (quantity === 'neurons') uses.forEach((of) => of.push({ box: boxes.length, perUnit: [1] }));
    this.boxes = quantity === 'neurons' ? [...boxes, { cost: 1, stays: [0] }] : boxes;
    this.uses = uses;
  }

  get kinds(): number {
    return this.sizes.length;
  }

  /**
   * The least number of units of a kind whose indices on every axis are a multiple of `roundTo`: 1 for attention heads of a width that
   * is one, `roundTo` for filters.
   */
  step(kind: number, roundTo: number): number {
    return this.#indices[kind]!.reduce((step, n) => {
      const needed = roundTo / greatestCommonDivisor(roundTo, n);
      return (step / greatestCommonDivisor(step, needed)) * needed;
    }, 1);
  }

  /** The cost of so many units of each kind. */
  cost(counts: ArrayLike<number>): number {
    return new KeptUnits(this, counts).total;
  }
}

/** Numbers of units of each kind, and their cost, which follows each change. */
export class KeptUnits {
  total = 0;
  readonly #left: Float64Array[];

  constructor(
    private readonly costs: UnitCosts,
    counts: ArrayLike<number>,
  ) {
    this.#left = costs.boxes.map(({ stays }) => Float64Array.from(stays));
    costs.uses.forEach((uses, kind) => {
      for (const { box, perUnit } of uses)
        perUnit.forEach((n, axis) => (this.#left[box]![axis]! += n * (counts[kind] ?? 0)));
    });
    costs.boxes.forEach((_, box) => (this.total += this.#costOf(box)));
  }

  #costOf(box: number): number {
    const left = this.#left[box]!;
    let { cost } = this.costs.boxes[box]!;
    for (let axis = 0; axis < left.length; axis++) cost *= left[axis]!;
    return cost;
  }

  /** What `by` more units of a kind would cost; with a negative number, less (the result is negative). */
  difference(kind: number, by: number): number {
    let sum = 0;
    for (const { box, perUnit } of this.costs.uses[kind]!) {
      const left = this.#left[box]!;
      let [before, after] = [1, 1];
      for (let axis = 0; axis < left.length; axis++) {
        before *= left[axis]!;
        after *= left[axis]! + by * perUnit[axis]!;
      }
      sum += (after - before) * this.costs.boxes[box]!.cost;
    }
    return sum;
  }

  add(kind: number, by: number): void {
    this.total += this.difference(kind, by);
    for (const { box, perUnit } of this.costs.uses[kind]!)
      for (let axis = 0; axis < perUnit.length; axis++) this.#left[box]![axis]! += by * perUnit[axis]!;
  }
}
