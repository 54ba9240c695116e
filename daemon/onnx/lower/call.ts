import { UserError } from '../../protocol/errors.js';
import type { DType } from '../../network/ir.js';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../file/onnxModel.js';
import { printable } from '../file/wire.js';
import type { Lowering } from './lowering.js';
import type { NumberTensor } from './values/numberTensor.js';
import { dimsOf, typeOf, type Value } from './values/value.js';

/** Most characters of what is wrong with a node. */
const longestDetail = 240;

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

  /** @param detail may hold texts and lists of the file. @returns an error that names the node; the caller throws it. */
  refusal(detail: string): UserError {
    const short = detail.length > longestDetail ? `${detail.slice(0, longestDetail)}...` : detail;
    return new UserError('model-unsupported', `${this.node.op} "${this.name}" ${printable(short)}`);
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

  /** The one number of an input that is known at import. */
  scalar(index: number, what: string): number {
    const { data } = this.known(index, what);
    if (data.length !== 1) throw this.refusal(`has ${data.length} numbers for ${what}, not one number`);
    if (!Number.isFinite(data[0])) throw this.refusal(`has no finite number for ${what}`);
    return data[0]!;
  }

  /**
   * Whole numbers from an attribute (older operator sets) or, if there is none, from an input.
   * @param count how many there must be.
   */
  wholes(attribute: string, index: number, count?: number): readonly number[] | undefined {
    const given = this.has(attribute) ? undefined : this.optionalKnown(index, `"${attribute}"`);
    if (given && given.dtype !== 'int32') throw this.refusal(`needs whole numbers as its "${attribute}"`);
    const list = this.has(attribute) ? this.ints(attribute, []) : given && [...given.data];
    if (list && count !== undefined && list.length !== count) throw this.refusal(`has ${list.length} numbers as its "${attribute}", not ${count}`); // prettier-ignore
    return list;
  }

  /** An input of places: whole numbers. */
  places(index: number): Value {
    const value = this.input(index);
    if (typeOf(value) !== 'int32') throw this.refusal(`looks up places that are no whole numbers (its input ${index})`);
    return value;
  }

  /** The size of the second axis of the first input. */
  channels(): number {
    const dims = dimsOf(this.input(0));
    if (dims.length < 2) throw this.refusal(`has an input of shape [${dims}], without channels`);
    return dims[1]!;
  }

  /** An input that must be a list of so many numbers. */
  vector(index: number, count: number): Value {
    const value = this.input(index);
    const dims = dimsOf(value);
    if (dims.length === 1 && dims[0] === count) return value;
    throw this.refusal(`has an input ${index} of shape [${dims}], not [${count}]`);
  }

  /** The shape of an input that must have so many axes. */
  shapeOfRank(index: number, rank: number): readonly number[] {
    const dims = dimsOf(this.input(index));
    if (dims.length !== rank) throw this.refusal(`has an input ${index} of shape [${dims}]; it must have ${rank} axes`);
    return dims;
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

  /** A number that is data of the network: it may be NaN. */
  datum = (name: string): number | undefined => this.#attribute<number>(name, 'float', 'int');

  /** Numbers that are data of the network: any of them may be NaN. */
  data = (name: string): readonly number[] | undefined => this.#attribute<readonly number[]>(name, 'floats');

  /** A number that is a setting of the operation. @throws UserError if it is NaN */
  float<D extends number | undefined>(name: string, otherwise: D): number | D {
    const given = this.datum(name);
    if (Number.isNaN(given)) throw this.refusal(`holds NaN as its "${name}"`);
    return given ?? otherwise;
  }

  flag(name: string, otherwise = false): boolean {
    const given = this.int(name, Number(otherwise));
    if (given !== 0 && given !== 1) throw this.refusal(`has ${given} as its "${name}", which is 0 or 1`);
    return given === 1;
  }

  text<D extends string | undefined>(name: string, otherwise: D): string | D {
    return this.#attribute<string>(name, 'string') ?? otherwise;
  }

  ints<D extends readonly number[] | undefined>(name: string, otherwise: D): readonly number[] | D {
    return this.#attribute<readonly number[]>(name, 'ints') ?? otherwise;
  }

  /** Numbers that are settings of the operation. @throws UserError if one is NaN */
  floats<D extends readonly number[] | undefined>(name: string, otherwise: D): readonly number[] | D {
    const given = this.data(name);
    if (given?.some(Number.isNaN)) throw this.refusal(`holds NaN in its "${name}"`);
    return given ?? otherwise;
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
