import type { Axis, Classes } from './classes.js';

/**
 * How an axis of a weight relates to a unit.
 * - makes: its slices compute the unit (columns of a kernel, filters, columns of an embedding). They must be 0 before it can be removed.
 * - reads: its slices are multiplied with the unit (rows of the next kernel). They are removed with it, whatever their values.
 * - both: a table that reads in one place and makes in another.
 * - along: vectors that shift or scale the unit (biases, normalisation). Trained ones must be 0 before it can be removed.
 */
export type Side = 'makes' | 'reads' | 'both' | 'along';

const keyOf = ({ value, axis }: Axis): string => `${value.id} ${axis}`;

/** The side of an axis of a weight, or of a value computed from weights alone: a kernel may be cut or scaled first. */
export type Sides = (of: Axis) => Side;

export function sidesOf(classes: Classes): Sides {
  const links = new Map<string, Axis[]>();
  const link = (from: Axis, to: Axis) => {
    const there = links.get(keyOf(from));
    if (there) there.push(to);
    else links.set(keyOf(from), [to]);
  };
  for (const { a, b } of classes.links) {
    if (!a.value.fixed || !b.value.fixed) continue;
    link(a, b);
    link(b, a);
  }
  const sides = new Map<string, Side>();
  for (const { side, ...start } of classes.roles) {
    const stack: Axis[] = [start];
    for (let at = stack.pop(); at; at = stack.pop()) {
      const there = sides.get(keyOf(at));
      if (there === side || there === 'both') continue;
      sides.set(keyOf(at), there === undefined ? side : 'both');
      stack.push(...(links.get(keyOf(at)) ?? []));
    }
  }
  return (of) => sides.get(keyOf(of)) ?? 'along';
}
