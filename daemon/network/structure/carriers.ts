import type { Range, Segment, Ties, Why } from './rule.js';
import { ruleOf } from './rules/rules.js';
import type { Program, Step, Value } from './values.js';

/**
 * Decides which axis carries the units when a Reshape splits an axis or merges several: of [heads, width] the heads, of
 * [height, width, channels] the channels. Removing an index of one axis leaves a box; removing indices of two does not.
 */
export interface Carriers {
  /** Axes of input and result of the segment; null if none of them can lose an index. */
  of(step: Step, segment: Segment): { readonly from: number; readonly to: number } | null;
}

const keyOf = (step: Step, { ins, outs }: Segment): string => `${step.output.id} ${ins} ${outs}`;

/** Ties of whole axes instead of indices: they show which axes can lose any index. */
class AxisTies implements Ties {
  readonly #first: number[] = [];
  readonly #parent: number[] = [];
  readonly #why: (Why | undefined)[] = [];
  readonly #batched: boolean[] = [];
  /** A part of the axis stays. */
  readonly #partly: boolean[] = [];
  /** Axes that are a part of another one. */
  readonly #parts: { readonly whole: readonly [Value, number]; readonly part: readonly [Value, number] }[] = [];
  readonly segments: { readonly step: Step; readonly segment: Segment }[] = [];

  constructor({ values }: Program) {
    for (const { id, shape } of values) {
      this.#first[id] = this.#parent.length;
      shape.forEach((n) => {
        this.#why[this.#parent.length] = n === 1 ? 'whole' : undefined;
        this.#parent.push(this.#parent.length);
      });
    }
  }

  #root(value: Value, axis: number): number {
    let i = this.#first[value.id]! + axis;
    while (this.#parent[i] !== i) i = this.#parent[i] = this.#parent[this.#parent[i]!]!;
    return i;
  }

  /** The reason why the whole axis stays; undefined if it may lose indices. */
  why(value: Value, axis: number): Why | undefined {
    return this.#why[this.#root(value, axis)];
  }

  /** Preference for an axis as carrier: attention heads are best, and an axis of which a part stays, such as padded rows, is worst. */
  rank(value: Value, axis: number): number {
    const root = this.#root(value, axis);
    return this.#batched[root] ? 2 : this.#partly[root] ? 0 : 1;
  }

  join(a: Value, axis: number, b: Value, bAxis: number): void {
    const [p, q] = [this.#root(a, axis), this.#root(b, bAxis)];
    if (p === q) return;
    this.#parent[q] = p;
    this.#why[p] ??= this.#why[q];
    if (this.#batched[q]) this.#batched[p] = true;
    if (this.#partly[q]) this.#partly[p] = true;
  }

  same(_step: Step, a: Value, axis: number, b: Value, bAxis: number, range?: Range): void {
    const count = range?.count ?? a.shape[axis]!;
    const [all, every] = [count === a.shape[axis], count === b.shape[bAxis]];
    if (all && every) this.join(a, axis, b, bAxis);
    else if (every) this.#parts.push({ whole: [a, axis], part: [b, bAxis] });
    else if (all) this.#parts.push({ whole: [b, bAxis], part: [a, axis] });
  }

  /** Part and whole of an axis stay together: a part stays if its axis does, and an axis stays if all its parts do. */
  settle(): void {
    for (let changed = true; changed;) {
      changed = false;
      const covered = new Map<string, number>();
      for (const { whole, part } of this.#parts) {
        const [from, to] = [this.why(...whole), this.why(...part)];
        const [root, own] = [this.#root(...whole), this.#root(...part)];
        if (from && !to) {
          this.#why[own] = from;
          changed = true;
        } else if (!from && !to && this.#partly[root] && !this.#partly[own]) {
          this.#partly[own] = true;
          changed = true;
        } else if (!from && to) {
          this.#partly[root] = true;
          const key = `${whole[0].id} ${whole[1]}`;
          const count = (covered.get(key) ?? 0) + part[0].shape[part[1]]!;
          covered.set(key, count);
          if (count < whole[0].shape[whole[1]]!) continue;
          this.#why[root] = to;
          changed = true;
        }
      }
    }
  }

  map(_step: Step, a: Value, axis: number, b: Value, bAxis: number): void {
    this.join(a, axis, b, bAxis);
  }

  pin(_step: Step | null, value: Value, axis: number, why: Why): void {
    this.#why[this.#root(value, axis)] ??= why;
  }

  role(): void {}

  batched(value: Value, axis: number): void {
    this.#batched[this.#root(value, axis)] = true;
  }

  reshape(step: Step, segment: Segment): void {
    if (segment.ins.length === 1 && segment.outs.length === 1)
      this.join(step.inputs[0]!, segment.ins[0]!, step.output, segment.outs[0]!);
    else this.segments.push({ step, segment });
  }
}

/** Pins the axes of inputs and outputs of the model, and lets each operation tie axes. */
export function tieAll({ inputs, outputs, steps }: Program, ties: Ties): void {
  for (const { value, input } of inputs)
    if (input.role !== 'parameter' && input.role !== 'state')
      value.shape.forEach((_, axis) => ties.pin(null, value, axis, 'input'));
  for (const value of outputs) value.shape.forEach((_, axis) => ties.pin(null, value, axis, 'output'));
  for (const step of steps) ruleOf(step.node.op).tie(step, ties);
}

/** The best of the axes that can lose indices: by rank, then the longest. */
const preferred = (ties: AxisTies, value: Value, axes: readonly number[]): number =>
  axes.toSorted((a, b) => ties.rank(value, b) - ties.rank(value, a) || value.shape[b]! - value.shape[a]! || a - b)[0]!;

/** Decides the segments one by one. Segments without a choice come first, because each decision settles others. */
export function carriersOf(program: Program): Carriers {
  const ties = new AxisTies(program);
  tieAll(program, ties);
  const chosen = new Map<string, { from: number; to: number } | null>();
  const open = new Set(ties.segments);
  const candidates = (value: Value, axes: readonly number[]) => axes.filter((axis) => !ties.why(value, axis));
  while (open.size > 0) {
    ties.settle();
    const all = [...open].map((one) => ({
      one,
      ins: candidates(one.step.inputs[0]!, one.segment.ins),
      outs: candidates(one.step.output, one.segment.outs),
    }));
    const { one, ins, outs } = all.find((some) => some.ins.length <= 1 && some.outs.length <= 1) ?? all[0]!;
    const { step, segment } = one;
    const input = step.inputs[0]!;
    open.delete(one);
    const found = ins.length === 0 || outs.length === 0 ? null : { from: preferred(ties, input, ins), to: preferred(ties, step.output, outs) }; // prettier-ignore
    // Groups whose statistics are taken do not carry units (a file counts them in an attribute); attention heads do.
    const grouped = segment.outs.length > 1 && segment.outs.some((axis) => ties.why(step.output, axis) === 'statistic');
    const carrier = found && grouped && ties.rank(step.output, found.to) < 2 ? null : found;
    chosen.set(keyOf(step, segment), carrier);
    const why = grouped && !carrier ? 'statistic' : 'split';
    for (const axis of segment.ins) if (axis !== carrier?.from) ties.pin(step, input, axis, why);
    for (const axis of segment.outs) if (axis !== carrier?.to) ties.pin(step, step.output, axis, why);
    if (carrier) ties.join(input, carrier.from, step.output, carrier.to);
  }
  return { of: (step, segment) => chosen.get(keyOf(step, segment)) ?? null };
}
