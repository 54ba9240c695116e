import { sliced } from '../known.js';
import type { Kept, Rule } from '../rule.js';
import type { Step, Value } from '../values.js';

/** Rules of the operations that move elements: an index is tied to the index that it comes from. */

const list = ({ node }: Step, name: string): readonly number[] => node.attrs[name] as readonly number[];

/** How many of the kept indices are below `end`. */
const below = (indices: readonly number[], end: number): number => indices.filter((i) => i < end).length;

/** The same constants, with each axis moved to `of(axis)`. */
const each =
  (
    of: (step: Step, values: ArrayLike<number>, axis: number, whole: number) => ArrayLike<number>,
  ): NonNullable<Rule['known']> =>
  (step, [x]) =>
    sliced(
      step.output.shape,
      new Map(step.output.shape.map((_, axis) => [axis, of(step, x!.axis(axis), axis, x!.whole)])),
      x!.whole,
    );

const slice = (values: ArrayLike<number>, from: number, count: number, stride = 1): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => values[from + i * stride]!);

const transpose: Rule = {
  tie: (step, ties) => list(step, 'perm').forEach((from, axis) => ties.same(step, step.output, axis, step.inputs[0]!, from)), // prettier-ignore
  known: (step, [x]) =>
    sliced(step.output.shape, new Map(list(step, 'perm').map((from, axis) => [axis, x!.axis(from)])), x!.whole),
};

/**
 * Ties the parts that filters are cut into. They belong to groups of one convolution, or to gates, and a file has one size for all of
 * them, so each part must lose the same indices.
 */
function tieParts(step: Step, axis: number, x: Value): boolean {
  const [size, part] = [x.shape[axis]!, step.output.shape[axis]!];
  return x.fixed && x.shape.length === 4 && axis === 3 && part < size && size % part === 0;
}

const contiguous: Rule = {
  tie: (step, ties) => {
    const [x] = step.inputs as [Value];
    const begin = list(step, 'begin');
    const strides = step.node.op === 'StridedSlice' ? list(step, 'strides') : [];
    step.output.shape.forEach((count, axis) => {
      if ((strides[axis] ?? 1) !== 1) return [x, step.output].forEach((value) => ties.pin(step, value, axis, 'window'));
      ties.same(step, x, axis, step.output, axis, { from: begin[axis]!, to: 0, count });
      if (tieParts(step, axis, x)) ties.map(step, x, axis, x, axis, (i) => i % count);
    });
  },
  known: (step, [x]) => {
    const begin = list(step, 'begin');
    const strides = step.node.op === 'StridedSlice' ? list(step, 'strides') : [];
    const axes = step.output.shape.map((count, axis) => [axis, slice(x!.axis(axis), begin[axis]!, count, strides[axis] ?? 1)] as const); // prettier-ignore
    return sliced(step.output.shape, new Map(axes), x!.whole);
  },
  attributes: (step, kept) => {
    const { attrs, op } = step.node;
    const begin = list(step, 'begin').map((from, axis) => below(kept(step.inputs[0]!, axis), from));
    if (op === 'Slice') return { begin };
    const strides = list(step, 'strides');
    const end = begin.map((from, axis) =>
      strides[axis] === 1 ? from + kept(step.output, axis).length : list(step, 'end')[axis]!,
    );
    return { ...attrs, begin, end };
  },
};

const concat: Rule = {
  tie: (step, ties) => {
    const at = step.node.attrs['axis'] as number;
    let to = 0;
    for (const input of step.inputs) {
      input.shape.forEach((count, axis) => {
        if (axis === at) ties.same(step, input, axis, step.output, axis, { from: 0, to, count });
        else ties.same(step, input, axis, step.output, axis);
      });
      to += input.shape[at]!;
    }
  },
  known: ({ node, output }, given) => {
    const at = node.attrs['axis'] as number;
    const alike = (values: readonly number[]) => (values.every((v) => v === values[0]) ? values[0]! : NaN);
    const axes = output.shape.map((n, axis) => {
      const parts = given.map((one) => one.axis(axis));
      if (axis === at) return [axis, Float64Array.from(parts.flatMap((part) => Array.from(part)))] as const;
      return [axis, Float64Array.from({ length: n }, (_, i) => alike(parts.map((part) => part[i]!)))] as const;
    });
    return sliced(output.shape, new Map(axes), alike(given.map(({ whole }) => whole)));
  },
};

/** The padding before and after each axis once indices are removed. */
const padding = (step: Step, kept: Kept) => {
  const before = list(step, 'before').map((n, axis) => below(kept(step.output, axis), n));
  const after = before.map((n, axis) => kept(step.output, axis).length - n - kept(step.inputs[0]!, axis).length);
  return { ...step.node.attrs, before, after };
};

const pad: Rule = {
  tie: (step, ties) =>
    step.inputs[0]!.shape.forEach((count, axis) =>
      ties.same(step, step.inputs[0]!, axis, step.output, axis, { from: 0, to: list(step, 'before')[axis]!, count }),
    ),
  known: (step, [x]) => {
    const value = step.node.attrs['value'] as number;
    const [before, { shape }] = [list(step, 'before'), step.inputs[0]!];
    const longer = step.output.shape.map((n, axis) => n > shape[axis]!);
    const axes = step.output.shape.map((n, axis) => {
      const given = x!.axis(axis);
      // Padding along another axis lies in every slice.
      const elsewhere = longer.some((is, other) => is && other !== axis);
      return [axis, Float64Array.from({ length: n }, (_, i) => {
        const own = given[i - before[axis]!];
        if (own === undefined) return value;
        return elsewhere && own !== value ? NaN : own;
      })] as const; // prettier-ignore
    });
    return sliced(step.output.shape, new Map(axes), x!.whole === value ? value : NaN);
  },
  attributes: padding,
};

const mirrorPad: Rule = {
  tie: (step, ties) =>
    step.inputs[0]!.shape.forEach((count, axis) => {
      if (step.output.shape[axis] === count) return ties.same(step, step.inputs[0]!, axis, step.output, axis);
      for (const value of [step.inputs[0]!, step.output]) ties.pin(step, value, axis, 'window');
    }),
  known: each((step, values, axis, whole) =>
    values.length === step.output.shape[axis] ? values : new Float64Array(step.output.shape[axis]!).fill(whole),
  ),
};

const tile: Rule = {
  tie: (step, ties) =>
    step.inputs[0]!.shape.forEach((n, axis) => {
      if (step.output.shape[axis] === n) ties.same(step, step.output, axis, step.inputs[0]!, axis);
      else if (n > 1) ties.map(step, step.output, axis, step.inputs[0]!, axis, (i) => i % n);
    }),
  known: each((step, values, axis) =>
    Float64Array.from({ length: step.output.shape[axis]! }, (_, i) => values[i % values.length]!),
  ),
  attributes: (step, kept) => ({
    reps: list(step, 'reps').map((n, axis) => (step.inputs[0]!.shape[axis] === 1 ? kept(step.output, axis).length : n)),
  }),
};

const reverse: Rule = {
  tie: (step, ties) =>
    step.output.shape.forEach((n, axis) => {
      if (list(step, 'axes').includes(axis)) ties.map(step, step.output, axis, step.inputs[0]!, axis, (i) => n - 1 - i);
      else ties.same(step, step.output, axis, step.inputs[0]!, axis);
    }),
  known: each((step, values, axis) => (list(step, 'axes').includes(axis) ? Array.from(values).reverse() : values)),
};

export const movementRules: Readonly<Record<string, Rule>> = {
  Transpose: transpose,
  Slice: contiguous,
  StridedSlice: contiguous,
  Concat: concat,
  Pad: pad,
  MirrorPad: mirrorPad,
  Tile: tile,
  Reverse: reverse,
};
