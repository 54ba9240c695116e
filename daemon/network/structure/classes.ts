import { carriersOf, tieAll, type Carriers } from './carriers.js';
import type { Range, Segment, Ties, Why } from './rule.js';
import { place } from './segments.js';
import type { Program, Step, Value } from './values.js';
import { sizeOf } from '../../protocol/shape.js';

/** An axis of a value. */
export interface Axis {
  readonly value: Value;
  readonly axis: number;
}

/** A tie of indices of two axes, and the step that makes it. */
export interface Link {
  readonly step: Step;
  readonly a: Axis;
  readonly b: Axis;
}

/** An axis whose indices all stay. Without a step the reason lies outside of the model. */
export interface Pin extends Axis {
  readonly step: Step | null;
  readonly why: Why;
}

/** A product's use of an axis of weights. */
export interface Role extends Axis {
  readonly side: 'reads' | 'makes';
}

/** Classes of indices, over the axes of all values, that can only be removed together: a union-find forest. */
export class Classes implements Ties {
  readonly #first: number[][] = [];
  readonly #parent: Int32Array;
  readonly #carriers: Carriers;
  readonly #pinned: Uint8Array;
  readonly links: Link[] = [];
  readonly pins: Pin[] = [];
  readonly roles: Role[] = [];
  /** Axes along which products of activations are computed separately. */
  readonly heads: Axis[] = [];

  constructor(readonly program: Program) {
    let next = 0;
    for (const { id, shape } of program.values) this.#first[id] = shape.map((n) => (next += n) - n);
    this.#parent = Int32Array.from({ length: next }, (_, i) => i);
    this.#pinned = new Uint8Array(next);
    this.#carriers = carriersOf(program);
    tieAll(program, this);
    for (const { value, axis } of this.pins)
      for (let i = 0; i < value.shape[axis]!; i++) this.#pinned[this.of(value, axis, i)] = 1;
    // A tensor whose indices are all of one class would be empty without it.
    for (const value of program.values)
      value.shape.forEach((n, axis) => {
        const first = this.of(value, axis, 0);
        for (let i = 1; i < n; i++) if (this.of(value, axis, i) !== first) return;
        if (this.#pinned[first] === 1) return;
        this.#pinned[first] = 1;
        this.pins.push({ step: null, value, axis, why: 'whole' });
      });
  }

  get size(): number {
    return this.#parent.length;
  }

  /** The class of an index: a number below `size`. */
  of(value: Value, axis: number, index: number): number {
    const parent = this.#parent;
    let i = this.#first[value.id]![axis]! + index;
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  }

  stays(value: Value, axis: number, index: number): boolean {
    return this.#pinned[this.of(value, axis, index)] === 1;
  }

  #join(p: number, q: number): void {
    this.#parent[Math.max(p, q)] = Math.min(p, q);
  }

  #link(step: Step, a: Value, axis: number, b: Value, bAxis: number): void {
    this.links.push({ step, a: { value: a, axis }, b: { value: b, axis: bAxis } });
  }

  same(step: Step, a: Value, axis: number, b: Value, bAxis: number, range?: Range): void {
    const { from, to, count } = range ?? { from: 0, to: 0, count: a.shape[axis]! };
    this.#link(step, a, axis, b, bAxis);
    for (let i = 0; i < count; i++) this.#join(this.of(a, axis, from + i), this.of(b, bAxis, to + i));
  }

  map(step: Step, a: Value, axis: number, b: Value, bAxis: number, of: (i: number) => number): void {
    this.#link(step, a, axis, b, bAxis);
    for (let i = 0; i < a.shape[axis]!; i++) this.#join(this.of(a, axis, i), this.of(b, bAxis, of(i)));
  }

  pin(step: Step | null, value: Value, axis: number, why: Why): void {
    this.pins.push({ step, value, axis, why });
  }

  role(value: Value, axis: number, side: Role['side']): void {
    this.roles.push({ value, axis, side });
  }

  batched(value: Value, axis: number): void {
    this.heads.push({ value, axis });
  }

  reshape(step: Step, segment: Segment): void {
    const { ins, outs } = segment;
    const [input, { output }] = [step.inputs[0]!, step];
    if (ins.length === 1 && outs.length === 1) return this.same(step, input, ins[0]!, output, outs[0]!);
    const carrier = this.#carriers.of(step, segment);
    const size = sizeOf(ins.map((axis) => input.shape[axis]!));
    const join = (a: Value, aAxes: readonly number[], axis: number, b: Value, bAxes: readonly number[], other: number) => {
      const [from, to] = [place(a.shape, aAxes, axis), place(b.shape, bAxes, other)];
      this.#link(step, a, axis, b, other);
      for (let flat = 0; flat < size; flat++) this.#join(this.of(a, axis, from(flat)), this.of(b, other, to(flat)));
    }; // prettier-ignore
    if (!carrier) {
      // All units are tied to one that stays, which is the reason.
      for (const axis of ins) for (const other of outs) join(input, ins, axis, output, outs, other);
      return;
    }
    join(input, ins, carrier.from, output, outs, carrier.to);
    for (const axis of ins) if (axis !== carrier.from) this.pin(step, input, axis, 'split');
    for (const axis of outs) if (axis !== carrier.to) this.pin(step, output, axis, 'split');
  }
}
