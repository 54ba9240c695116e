import type { Range, Segment, Ties, Why } from './rule.js';
import { ruleOf } from './rules/rules.js';
import type { Program, Step, Value } from './values.js';

/**
 * Along which axis of several the units go where a Reshape splits an axis or makes one of several: of [heads, width] the heads,
 * of [height, width, channels] the channels. Removing an index of one of them leaves a box; of two at once it does not.
 */
export interface Carriers {
  /** Axes of input and result of the segment; null where none of them can lose an index. */
  of(step: Step, segment: Segment): { readonly from: number; readonly to: number } | null;
}

const keyOf = (step: Step, { ins, outs }: Segment): string => `${step.output.id} ${ins} ${outs}`;

/** Whole axes instead of indices: enough to see which of them can lose any. */
class AxisTies implements Ties {
  readonly #first: number[] = [];
  readonly #parent: number[] = [];
  readonly #why: (Why | undefined)[] = [];
  readonly #batched: boolean[] = [];
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

  why = (value: Value, axis: number): Why | undefined => this.#why[this.#root(value, axis)];
  isBatched = (value: Value, axis: number): boolean => this.#batched[this.#root(value, axis)] ?? false;

  join(a: Value, axis: number, b: Value, bAxis: number): void {
    const [p, q] = [this.#root(a, axis), this.#root(b, bAxis)];
    if (p === q) return;
    this.#parent[q] = p;
    this.#why[p] ??= this.#why[q];
    if (this.#batched[q]) this.#batched[p] = true;
  }

  same(_step: Step, a: Value, axis: number, b: Value, bAxis: number, range?: Range): void {
    const whole = a.shape[axis]! === b.shape[bAxis]! && (!range || range.count === a.shape[axis]);
    if (whole) this.join(a, axis, b, bAxis);
  }

  // Indices that are one in part only tell nothing of the whole axis.
  map(): void {}

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

/** Pins what is outside of the model, and lets each operation tie. */
export function tieAll({ inputs, outputs, steps }: Program, ties: Ties): void {
  for (const { value, input } of inputs)
    if (input.role !== 'parameter' && input.role !== 'state')
      value.shape.forEach((_, axis) => ties.pin(null, value, axis, 'input'));
  for (const value of outputs) value.shape.forEach((_, axis) => ties.pin(null, value, axis, 'output'));
  for (const step of steps) ruleOf(step.node.op).tie(step, ties);
}

/** Of axes that can all lose indices: attention heads, else the longest. */
const preferred = (ties: AxisTies, value: Value, axes: readonly number[]): number =>
  axes.toSorted(
    (a, b) =>
      Number(ties.isBatched(value, b)) - Number(ties.isBatched(value, a)) || value.shape[b]! - value.shape[a]! || a - b,
  )[0]!;

/** Decides the segments one after the other: first those that leave no choice, since each decision settles others. */
export function carriersOf(program: Program): Carriers {
  const ties = new AxisTies(program);
  tieAll(program, ties);
  const chosen = new Map<string, { from: number; to: number } | null>();
  const open = new Set(ties.segments);
  const candidates = (value: Value, axes: readonly number[]) => axes.filter((axis) => !ties.why(value, axis));
  while (open.size > 0) {
    const all = [...open].map((one) => ({
      one,
      ins: candidates(one.step.inputs[0]!, one.segment.ins),
      outs: candidates(one.step.output, one.segment.outs),
    }));
    const { one, ins, outs } = all.find((some) => some.ins.length <= 1 && some.outs.length <= 1) ?? all[0]!;
    const { step, segment } = one;
    const input = step.inputs[0]!;
    open.delete(one);
    // Groups whose statistics are taken go by no unit of their own: a file counts them in an attribute.
    const grouped =
      segment.ins.length === 1 && segment.outs.some((axis) => ties.why(step.output, axis) === 'statistic');
    const carrier = ins.length === 0 || outs.length === 0 || grouped ? null : { from: preferred(ties, input, ins), to: preferred(ties, step.output, outs) }; // prettier-ignore
    chosen.set(keyOf(step, segment), carrier);
    const why = grouped ? 'statistic' : 'split';
    for (const axis of segment.ins) if (axis !== carrier?.from) ties.pin(step, input, axis, why);
    for (const axis of segment.outs) if (axis !== carrier?.to) ties.pin(step, step.output, axis, why);
    if (carrier) ties.join(input, carrier.from, step.output, carrier.to);
  }
  return { of: (step, segment) => chosen.get(keyOf(step, segment)) ?? null };
}
