import { cutData } from '../../network/structure/cut.js';
import type { TensorChange } from '../file/editTensor.js';
import type { OnnxGraph, OnnxNode } from '../file/onnxModel.js';
import type { AttributeChange } from '../file/replaceTensors.js';
import { numbers, type NumberTensor } from '../lower/values/numberTensor.js';
import { constantAttribute, ShapeArithmetic, type Place } from './shapeArithmetic.js';

/** By axis, the indices that are left; null: all of them. */
export type Cuts = readonly (readonly number[] | null)[];

/** What a node needs an element of a list to be. */
interface Want {
  readonly node: OnnxNode;
  readonly name: string;
  readonly index: number;
  readonly value: number;
}

export interface ConstantChanges {
  readonly initializers: ReadonlyMap<string, TensorChange>;
  /** By node, the attribute and what it becomes. */
  readonly attributes: ReadonlyMap<OnnxNode, readonly [string, AttributeChange]>;
  /** Nodes whose sizes cannot change: the file computes them, or shares a constant with a node that needs another. */
  readonly unmet: ReadonlySet<OnnxNode>;
}

/**
 * Changes of the constants of a file: initializers that are no weights, and Constant nodes. A shape may be put together from several
 * of them, and from sizes that the file computes: those follow by themselves.
 */
export class ConstantEdits {
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #arithmetic: ShapeArithmetic;
  readonly #wants: Want[] = [];
  readonly #elements = new Map<string, Map<number, number>>();
  readonly #cuts = new Map<string, Cuts>();
  readonly #unmet = new Set<OnnxNode>();

  /** @param known content of the values that are known without data. @param dimsAfter sizes of a value once units are gone. */
  constructor(
    private readonly graph: OnnxGraph,
    private readonly known: (name: string) => NumberTensor | undefined,
    dimsAfter: (name: string) => readonly number[] | undefined,
  ) {
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
    this.#arithmetic = new ShapeArithmetic({
      producer: (name) => this.#producers.get(name),
      isInitializer: (name) => graph.initializers.has(name),
      known,
      dimsAfter,
      changed: ({ constant, index }) => this.#elements.get(constant)?.get(index),
    });
  }

  /** Says what a node needs an element of a list of whole numbers to be. */
  want(node: OnnxNode, name: string, index: number, value: number): void {
    this.#wants.push({ node, name, index, value });
  }

  /** Leaves some indices of a constant that a node reads; of one that the file computes, what it is computed of changes. */
  cut(reader: OnnxNode, name: string, cuts: Cuts): void {
    if (cuts.every((one) => one === null)) return;
    const node = this.#producers.get(name);
    const inputs = node?.inputs ?? [];
    const sizes = (at: string) => cuts.forEach((kept, axis) => kept && this.want(reader, at, axis, kept.length));
    if (node && (node.op === 'Identity' || node.op === 'Cast')) return this.cut(reader, inputs[0]!, cuts);
    if (node?.op === 'ConstantOfShape') return sizes(inputs[0]!);
    if (node?.op === 'Expand') {
      sizes(inputs[1]!);
      const dims = this.known(inputs[0]!)?.dims ?? [];
      const own = dims.map((n, axis) => (n === 1 ? null : (cuts[axis + cuts.length - dims.length] ?? null)));
      return this.cut(reader, inputs[0]!, own);
    }
    const before = this.#cuts.get(name);
    const differs = before !== undefined && JSON.stringify(before) !== JSON.stringify(cuts);
    if ((node && node.op !== 'Constant') || differs) this.#unmet.add(reader);
    else this.#cuts.set(name, cuts);
  }

  /** @returns whether the constant is free to become the value, and does. */
  #set({ constant, index }: Place, value: number): boolean {
    const wanted = this.#elements.get(constant) ?? new Map<number, number>();
    this.#elements.set(constant, wanted);
    if (!wanted.has(index)) wanted.set(index, value);
    return wanted.get(index) === value;
  }

  /** What the constants become. */
  changes(): ConstantChanges {
    const isSaid = ({ name, index }: Want) => this.#arithmetic.placeOf(name, index) !== undefined;
    for (const want of this.#wants.filter(isSaid))
      if (!this.#set(this.#arithmetic.placeOf(want.name, want.index)!, want.value)) this.#unmet.add(want.node);
    for (const want of this.#wants.filter((one) => !isSaid(one))) {
      if (this.#arithmetic.after(want.name, want.index) === want.value) continue;
      const solved = this.#arithmetic.solve(want.name, want.index, want.value);
      if (!solved || !this.#set(solved.place, solved.value)) this.#unmet.add(want.node);
    }
    const initializers = new Map<string, TensorChange>();
    const attributes = new Map<OnnxNode, readonly [string, AttributeChange]>();
    for (const name of new Set([...this.#elements.keys(), ...this.#cuts.keys()])) {
      const change = this.#changeOf(name);
      if (!change) continue;
      const node = this.#producers.get(name);
      const attribute = node && constantAttribute(node);
      if (!node || !attribute) initializers.set(name, change);
      else attributes.set(node, [attribute, inAttribute(attribute, change)]);
    }
    return { initializers, attributes, unmet: this.#unmet };
  }

  #changeOf(name: string): (TensorChange & { readonly values: Float64Array }) | null {
    const tensor = this.graph.initializers.get(name);
    const { data, dims } = tensor ? numbers(tensor.values(), tensor.dims, 'int32') : this.known(name)!;
    const elements = this.#elements.get(name) ?? new Map<number, number>();
    const cuts = this.#cuts.get(name);
    if (!cuts && [...elements].every(([index, value]) => data[index] === value)) return null;
    const kept = dims.map((n, axis) => cuts?.[axis] ?? Array.from({ length: n }, (_, i) => i));
    const values = cutData(data.map((x, i) => elements.get(i) ?? x), dims, kept); // prettier-ignore
    return { dims: kept.map(({ length }) => length), values };
  }
}

function inAttribute(name: string, change: TensorChange & { readonly values: Float64Array }): AttributeChange {
  if (name === 'value') return change;
  return name === 'value_int' ? change.values[0]! : [...change.values];
}
