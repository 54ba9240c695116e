import { UserError } from '../../protocol/errors.js';
import type { DType } from '../../network/ir.js';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../file/onnxModel.js';
import type { Lowering } from './lowering.js';
import type { NumberTensor } from './values/numberTensor.js';
import { dimsOf, type Value } from './values/value.js';

/** Returns the values of a node's outputs, as many as the rule supports; outputs that no node reads may be missing. */
export type Operator = (call: Call) => Value | readonly Value[];

/** One node of the file being lowered. Its inputs and attributes are checked when a rule requests them. */
export class Call {
  constructor(
    readonly lowering: Lowering,
    readonly node: OnnxNode,
    /** The node's name in messages. */
    readonly name: string,
    /** Version of the operator set. */
    readonly opset: number,
    private readonly values: readonly (Value | undefined)[],
  ) {}

  /** Shapes of the first input and the first output for the batch of the file's export, if the pass has another batch. */
  get written(): { readonly input: readonly number[]; readonly output: readonly number[] } | undefined {
    const input = this.lowering.written?.get(this.node.inputs[0]!);
    const output = this.lowering.written?.get(this.node.outputs[0]!);
    return input && output && { input, output };
  }

  /** @returns an error that names the node; the caller throws it. */
  refusal(detail: string): UserError {
    return new UserError('model-unsupported', `${this.node.op} "${this.name}" ${detail}`);
  }

  get inputs(): readonly Value[] {
    return this.values.filter((value) => value !== undefined);
  }

  /** Number of inputs and outputs that the node lists, including empty names. */
  get arity(): number {
    return this.values.length;
  }

  get outputs(): number {
    return this.node.outputs.length;
  }

  /** Whether an output has a name, so that other nodes may read it. */
  gives(index: number): boolean {
    return (this.node.outputs[index] ?? '') !== '';
  }

  input(index: number): Value {
    const value = this.values[index];
    if (!value) throw this.refusal(`lacks its input ${index}`);
    return value;
  }

  /** The first inputs; all of them are required. */
  operands(count: number): readonly Value[] {
    return Array.from({ length: count }, (_, i) => this.input(i));
  }

  optional(index: number): Value | undefined {
    return this.values[index];
  }

  rank = (index: number): number => dimsOf(this.input(index)).length;

  /** An input whose content must be known at import. */
  known(index: number, what: string): NumberTensor {
    const value = this.lowering.known(this.input(index));
    if (!value) throw this.refusal(`needs ${what} at import; here it is computed from the model's data`);
    return value;
  }

  optionalKnown(index: number, what: string): NumberTensor | undefined {
    return this.values[index] === undefined ? undefined : this.known(index, what);
  }

  /** Whole numbers from an attribute (older operator sets) or, if there is none, from an input. */
  wholes(attribute: string, index: number): readonly number[] | undefined {
    if (this.node.attributes.has(attribute)) return this.ints(attribute, []);
    const given = this.optionalKnown(index, `"${attribute}"`);
    return given && [...given.data];
  }

  /** An axis counted from the front. */
  axis(given: number, rank: number): number {
    const axis = given < 0 ? given + rank : given;
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank) throw this.refusal(`has no axis ${given}: its input has ${rank} axes`); // prettier-ignore
    return axis;
  }

  /** The accepted types of an attribute determine the type of its value: the caller names both. */
  #attribute<T>(name: string, ...kinds: readonly OnnxAttribute['kind'][]): T | undefined {
    const given = this.node.attributes.get(name);
    if (!given) return undefined;
    if (given.kind === 'other' || !kinds.includes(given.kind)) throw this.refusal(`has an attribute "${name}" of another kind: ${given.kind}`); // prettier-ignore
    return given.value as T;
  }

  has = (name: string): boolean => this.node.attributes.has(name);

  int<D extends number | undefined>(name: string, otherwise: D): number | D {
    return this.#attribute<number>(name, 'int') ?? otherwise;
  }

  float<D extends number | undefined>(name: string, otherwise: D): number | D {
    return this.#attribute<number>(name, 'float', 'int') ?? otherwise;
  }

  flag = (name: string, otherwise = false): boolean => this.int(name, Number(otherwise)) !== 0;

  text<D extends string | undefined>(name: string, otherwise: D): string | D {
    return this.#attribute<string>(name, 'string') ?? otherwise;
  }

  ints<D extends readonly number[] | undefined>(name: string, otherwise: D): readonly number[] | D {
    return this.#attribute<readonly number[]>(name, 'ints') ?? otherwise;
  }

  floats<D extends readonly number[] | undefined>(name: string, otherwise: D): readonly number[] | D {
    return this.#attribute<readonly number[]>(name, 'floats') ?? otherwise;
  }

  texts(name: string): readonly string[] | undefined {
    return this.#attribute<readonly string[]>(name, 'strings');
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.#attribute<OnnxTensor>(name, 'tensor');
  }

  /** The type for a number of TensorProto.DataType. @throws UserError for a type without numbers */
  dtype(name: string, otherwise: DType): DType {
    const code = this.int(name, undefined);
    if (code === undefined) return otherwise;
    if ([1, 10, 11, 16].includes(code)) return 'float32';
    if ([2, 3, 4, 5, 6, 7, 12, 13].includes(code)) return 'int32';
    if (code === 9) return 'bool';
    throw this.refusal(code === 8 ? 'makes strings' : `makes numbers of a type (${code}) that has no rule`);
  }
}
