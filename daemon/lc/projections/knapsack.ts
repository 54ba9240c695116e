/** The chosen items, their value, and an upper bound on how much better the optimum is (0: this one is optimal). */
export interface Choice {
  readonly taken: Uint8Array;
  readonly value: number;
  readonly gap: number;
}

/** Most cells of the exact table. */
const TABLE_LIMIT = 1 << 22;

function greatestCommonDivisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}

/**
 * The 0/1 knapsack: values >= 0, integer costs > 0, total cost <= budget. Exact by dynamic programming where
 * items * budget / gcd(costs) is at most 2^22, else greedy by value per cost with the bound of the fractional relaxation.
 */
export function knapsack(values: Float64Array, costs: Float64Array, budget: number): Choice {
  let divisor = 0;
  for (const cost of costs) divisor = greatestCommonDivisor(cost, divisor);
  if (divisor === 0) return { taken: new Uint8Array(0), value: 0, gap: 0 };
  const capacity = Math.floor(budget / divisor);
  return values.length * (capacity + 1) <= TABLE_LIMIT
    ? exactKnapsack(values, costs, divisor, capacity)
    : greedyKnapsack(values, costs, budget);
}

/** O(items * capacity) dynamic programming; costs are multiples of `divisor`, capacity is the budget in that unit. */
function exactKnapsack(values: Float64Array, costs: Float64Array, divisor: number, capacity: number): Choice {
  const width = capacity + 1;
  const best = new Float64Array(width);
  const take = new Uint8Array(values.length * width);
  for (let item = 0; item < values.length; item++) {
    const cost = costs[item]! / divisor;
    for (let room = capacity; room >= cost; room--) {
      const value = best[room - cost]! + values[item]!;
      if (value > best[room]!) {
        best[room] = value;
        take[item * width + room] = 1;
      }
    }
  }
  const taken = new Uint8Array(values.length);
  let room = capacity;
  for (let item = values.length - 1; item >= 0; item--) {
    taken[item] = take[item * width + room]!;
    if (taken[item] === 1) room -= costs[item]! / divisor;
  }
  return { taken, value: best[capacity]!, gap: 0 };
}

/** Fills by value per cost, ties to the lowest index, and skips items that do not fit. (Dantzig 1957) */
export function greedyKnapsack(values: Float64Array, costs: Float64Array, budget: number): Choice {
  const order = Uint32Array.from(values.keys()).sort(
    (i, j) => values[j]! * costs[i]! - values[i]! * costs[j]! || i - j,
  );
  const taken = new Uint8Array(values.length);
  let left = budget;
  let value = 0;
  let bound: number | null = null;
  for (const item of order) {
    if (costs[item]! <= left) {
      taken[item] = 1;
      left -= costs[item]!;
      value += values[item]!;
    } else bound ??= value + (left * values[item]!) / costs[item]!;
  }
  return { taken, value, gap: bound === null ? 0 : Math.max(0, bound - value) };
}
