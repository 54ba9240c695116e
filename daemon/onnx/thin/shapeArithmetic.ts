import type { OnnxNode } from '../file/onnxModel.js';
import type { NumberTensor } from '../lower/values/numberTensor.js';

/** A number of a constant of the file. */
export interface Place {
  readonly constant: string;
  readonly index: number;
}

/** Operators that hand the elements of a list on in their order. */
const PASS_ON: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Unsqueeze', 'Squeeze', 'Reshape', 'Flatten']);

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** The constant that a node gives, as its attribute has it. */
export const constantAttribute = ({ op, attributes }: OnnxNode): string | undefined =>
  op === 'Constant' ? ['value', 'value_ints', 'value_int'].find((name) => attributes.has(name)) : undefined;

export interface ShapeFacts {
  producer(name: string): OnnxNode | undefined;
  isInitializer(name: string): boolean;
  /** Content of what is known without data, as the file has it. */
  known(name: string): NumberTensor | undefined;
  /** Sizes of a value once units are gone. */
  dimsAfter(name: string): readonly number[] | undefined;
  /** What an element of a constant becomes; undefined: it stays. */
  changed(place: Place): number | undefined;
}

/** Follows elements of lists of whole numbers, which files put together from constants and the sizes of tensors. */
export class ShapeArithmetic {
  constructor(private readonly facts: ShapeFacts) {}

  /** Where an element comes from, when the nodes between only hand it on. */
  #source(name: string, index: number): { readonly name: string; readonly index: number } | undefined {
    const node = this.facts.producer(name);
    const [first = ''] = node?.inputs ?? [];
    if (node && PASS_ON.has(node.op)) return { name: first, index };
    if (node?.op === 'Concat') {
      let from = 0;
      for (const input of node.inputs) {
        const count = this.facts.known(input)?.data.length;
        if (count === undefined) return undefined;
        if (index < from + count) return { name: input, index: index - from };
        from += count;
      }
    }
    if (node?.op === 'Gather') {
      const [at, length] = [this.facts.known(node.inputs[1] ?? '')?.data[index], this.facts.known(first)?.data.length];
      if (at !== undefined && length !== undefined) return { name: first, index: at < 0 ? at + length : at };
    }
    return undefined;
  }

  /** Where the file says an element; undefined: it computes it. */
  placeOf(name: string, index: number): Place | undefined {
    const node = this.facts.producer(name);
    if (!node) return this.facts.isInitializer(name) ? { constant: name, index } : undefined;
    if (constantAttribute(node) !== undefined) return { constant: name, index };
    const source = this.#source(name, index);
    return source && this.placeOf(source.name, source.index);
  }

  /** What an element is once units are gone; what is not followed is taken to be as it was. */
  after(name: string, index: number): number | undefined {
    const place = this.placeOf(name, index);
    const before = this.facts.known(name)?.data[index];
    if (place) return this.facts.changed(place) ?? before;
    const source = this.#source(name, index);
    if (source) return this.after(source.name, source.index);
    const node = this.facts.producer(name);
    if (node?.op === 'Shape') {
      const dims = this.facts.dimsAfter(node.inputs[0]!);
      const start = node.attributes.get('start');
      const from = start?.kind === 'int' ? start.value : 0;
      return dims?.[index + (from < 0 ? from + dims.length : from)] ?? before;
    }
    const compute = node && ARITHMETIC[node.op];
    if (!compute) return before;
    const [a, b] = this.operands(node, index).map((one) => this.after(one.name, one.index));
    if (a === undefined || b === undefined) return before;
    const value = compute(a, b);
    return this.facts.known(name)?.dtype === 'int32' ? Math.trunc(value) : value;
  }

  /** The elements that an element-wise operation on lists reads for one of its own. */
  operands = ({ inputs }: OnnxNode, index: number): readonly { readonly name: string; readonly index: number }[] =>
    inputs.map((name) => ({ name, index: this.facts.known(name)?.data.length === 1 ? 0 : index }));

  /**
   * What has to change for an element to become a value: a constant, or the constant factor of a product with a size that the file
   * computes, such as the batch.
   */
  solve(name: string, index: number, value: number): { readonly place: Place; readonly value: number } | undefined {
    const place = this.placeOf(name, index);
    if (place) return { place, value };
    const source = this.#source(name, index);
    if (source) return this.solve(source.name, source.index, value);
    const node = this.facts.producer(name);
    if (node?.op !== 'Mul') return undefined;
    const factors = this.operands(node, index);
    const constant = factors.find((one) => this.placeOf(one.name, one.index));
    const computed = factors.find((one) => !this.placeOf(one.name, one.index));
    const factor = computed && this.after(computed.name, computed.index);
    if (!constant || !factor || value % factor !== 0) return undefined;
    return { place: this.placeOf(constant.name, constant.index)!, value: value / factor };
  }
}
