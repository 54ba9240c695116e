/** Whether an engine is further from float64 than float32 explains. */
import { engineNames } from './engines.js';
import type { Quantity } from './verdict.js';

export function norm(a: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * a[i]!;
  return Math.sqrt(sum);
}

/** Infinite if exactly one of the two is not finite. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    if (Number.isNaN(difference)) {
      if (!Object.is(a[i], b[i])) return Infinity;
    } else sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** Relative to the norm: what float32 stays far below. */
const tolerance = 1e-4;
/** Or this many times as far off as the other engine. */
const timesTheOther = 20;
/** An error is explained where some rounding makes one at least this share of it. */
const explained = 0.1;
/** Tried until one does: a rectifier that one rounding in a hundred moves over 0 is such an explanation. */
const manyRoundings = 200;

export interface Judgement {
  readonly differ: string[];
  readonly notes: Set<string>;
}

/** Adds to the judgement what differs. Rounding is tried only on suspicion. */
export function judge(
  { name, found, exact, noisy, floor = 1e-7 }: Quantity,
  { differ, notes }: Judgement,
  roundings = manyRoundings,
): void {
  const size = norm(exact);
  const errors = engineNames.flatMap((engine) =>
    found[engine] ? [{ engine, error: distance(found[engine], exact) }] : [],
  );
  for (const { engine, error } of errors) {
    const other = errors.find((entry) => entry.engine !== engine)?.error ?? 0;
    if (error <= Math.max(tolerance * size, Math.min(other, size) * timesTheOther) + floor) continue;
    let spread = 0;
    for (let seed = 1; seed <= roundings && error * explained > spread; seed++)
      spread = Math.max(spread, distance(noisy(seed), exact));
    if (error * explained <= spread) notes.add('rounding');
    else differ.push(`${engine}: ${name} off by ${error.toPrecision(2)} of ${size.toPrecision(2)} (other ${other.toPrecision(2)}, rounding ${spread.toPrecision(2)})`); // prettier-ignore
  }
}
