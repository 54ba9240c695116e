import { contractionOf } from './contraction.js';
import type { Known } from './known.js';
import type { Program, Step, Value } from './values.js';
import { sizeOf } from '../../protocol/shape.js';

/** A vector of weights to which a constant can be added so that the result of a product grows in proportion. */
export interface Absorber {
  readonly weight: Value;
  /** By result of the product: the amount that its weight must grow by to add 1 to the result. */
  readonly factor: Float64Array;
}

/** A point on the way of a result: the axis of its channels, and the value that 1 of the result has become. */
interface At {
  readonly value: Value;
  readonly axis: number;
  readonly factor: Float64Array;
}

/** The axis of an operand that broadcasts along it alone; -1 if the operand varies along others. */
function alongOnly({ shape }: Value, rank: number, axis: number, n: number): number {
  const own = axis - rank + shape.length;
  return own >= 0 && shape[own] === n && shape.every((dim, i) => i === own || dim === 1) ? own : -1;
}

const scaled = (factor: Float64Array, by: (i: number) => number): Float64Array | null => {
  const result = factor.map((f, i) => f * by(i));
  return result.every(Number.isFinite) ? result : null;
};

class Search {
  readonly #made: ReadonlyMap<Value, Step>;
  constructor(
    private readonly program: Program,
    private readonly known: ((value: Value) => Known) | null,
  ) {
    this.#made = new Map(program.steps.map((step) => [step.output, step]));
  }

  /** The only step that reads a value; null if the value is an output of the model or has other readers. */
  #reader(value: Value): Step | null {
    const readers = this.program.readers[value.id]!;
    return readers.length === 1 && !this.program.outputs.includes(value) ? readers[0]! : null;
  }

  /** The numbers of an operand along the axis; null if they are not known. Without known values each number is taken to be 1. */
  #numbers(value: Value, axis: number, n: number): ((i: number) => number) | null {
    if (!value.fixed) return null;
    if (!this.known) return () => 1;
    const known = this.known(value);
    if (axis < 0) return Number.isNaN(known.whole) ? null : () => known.whole;
    const values = known.axis(axis);
    for (let i = 0; i < n; i++) if (Number.isNaN(values[i])) return null;
    return (i) => values[i]!;
  }

  /** Follows a vector of weights back to one weight that no other step reads. */
  inVector({ value, axis, factor }: At): Absorber | null {
    if (!value.fixed || !this.#reader(value)) return null;
    const step = this.#made.get(value);
    if (!step) return value.node.op === 'Input' ? { weight: value, factor } : null;
    const { op } = step.node;
    const n = factor.length;
    const into = (input: Value, next: Float64Array | null): Absorber | null => {
      const own = alongOnly(input, value.shape.length, axis, n);
      return own >= 0 && next ? this.inVector({ value: input, axis: own, factor: next }) : null;
    };
    const [a, b] = step.inputs as [Value, Value];
    if (op === 'Reshape' || op === 'Neg') {
      const own = a.shape.indexOf(n);
      const alone = own >= 0 && a.shape.every((dim, i) => i === own || dim === 1);
      return alone
        ? this.inVector({ value: a, axis: own, factor: op === 'Neg' ? factor.map((f) => -f) : factor })
        : null;
    }
    if (op === 'Add') return into(a, factor) ?? into(b, factor);
    if (op === 'Sub') return into(a, factor) ?? into(b, factor.map((f) => -f)); // prettier-ignore
    if (op === 'Multiply')
      for (const [x, s] of [[a, b], [b, a]] as const) {
        const by = this.#numbers(s, alongOnly(s, value.shape.length, axis, n), n);
        const found = by && into(x, scaled(factor, (i) => 1 / by(i))); // prettier-ignore
        if (found) return found;
      } // prettier-ignore
    return null;
  }

  /** Follows a result through additions and multiplications to a vector that is added. */
  from({ value, axis, factor }: At): Absorber | null {
    const step = this.#reader(value);
    if (!step) return null;
    const { op } = step.node;
    const { output, inputs } = step;
    const n = factor.length;
    if (op === 'Reshape') {
      // The last axis stays last, whatever happens to the axes before it.
      if (sizeOf(value.shape.slice(axis + 1)) !== 1) return null;
      const to = output.shape.findLastIndex((dim) => dim > 1);
      return output.shape[to] === n ? this.from({ value: output, axis: to, factor }) : null;
    }
    if (op === 'Transpose') {
      const to = (step.node.attrs['perm'] as readonly number[]).indexOf(axis);
      return this.from({ value: output, axis: to, factor });
    }
    const rank = output.shape.length;
    const to = axis + rank - value.shape.length;
    if (output.shape[to] !== n || inputs.length !== 2 || inputs[0] === inputs[1]) return null;
    const other = inputs[0] === value ? inputs[1]! : inputs[0]!;
    const own = alongOnly(other, rank, to, n);
    if (op === 'Multiply') {
      const by = this.#numbers(other, own, n);
      const next = by && scaled(factor, by);
      return next && this.from({ value: output, axis: to, factor: next });
    }
    if (op !== 'Add' && op !== 'Sub') return null;
    // In a - b, the difference shrinks by the amount that b grows by.
    const [mine, theirs] = op === 'Add' ? [1, 1] : inputs[0] === value ? [1, -1] : [-1, 1];
    const grown = factor.map((f) => f * mine);
    const here = own >= 0 ? this.inVector({ value: other, axis: own, factor: grown.map((f) => f * theirs) }) : null;
    return here ?? this.from({ value: output, axis: to, factor: grown });
  }
}

/**
 * Finds a vector that can take over a constant that a product adds to its results: a bias, or the shift or mean of a BatchNorm
 * after it. No other step may read that vector.
 * @param known values of weights; without them every scale is taken to be 1.
 * @returns null if there is no such vector.
 */
export function absorberOf(
  program: Program,
  step: Step,
  known: ((value: Value) => Known) | null = null,
): Absorber | null {
  const contraction = contractionOf(step);
  if (!contraction || contraction.zeroOnly) return null;
  const { out, outAxis } = contraction;
  const factor = new Float64Array(out.shape[outAxis]!).fill(1);
  return new Search(program, known).from({ value: out, axis: outAxis, factor });
}
