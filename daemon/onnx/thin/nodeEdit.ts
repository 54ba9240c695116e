import type { OnnxNode } from '../file/onnxModel.js';
import type { AttributeChange } from '../file/replaceTensors.js';
import type { NumberTensor } from '../lower/values/numberTensor.js';
import type { ConstantEdits, Cuts } from './constantEdits.js';

/** An axis of a value before and after units are gone. */
export interface AxisCut {
  readonly before: number;
  /** The indices that are left. */
  readonly kept: readonly number[];
}

export const isCut = ({ before, kept }: AxisCut): boolean => kept.length < before;

/** How many of the indices that are left are below one that was. */
export const below = ({ kept }: AxisCut, index: number): number => kept.filter((i) => i < index).length;

/** A node of the file while it is thinned: its values before and after, and how what it says of sizes changes. */
export class NodeEdit {
  readonly attributes = new Map<string, AttributeChange>();

  constructor(
    readonly node: OnnxNode,
    private readonly cutsOf: (name: string) => readonly AxisCut[] | undefined,
    private readonly numbersOf: (name: string) => NumberTensor | undefined,
    private readonly constants: ConstantEdits,
  ) {}

  /** Axes of an input; undefined of what is known without data. */
  input = (index: number): readonly AxisCut[] | undefined => this.cutsOf(this.node.inputs[index] ?? '');

  output = (index = 0): readonly AxisCut[] | undefined => this.cutsOf(this.node.outputs[index] ?? '');

  /** An input that is known without data. */
  known = (index: number): NumberTensor | undefined => this.numbersOf(this.node.inputs[index] ?? '');

  int(name: string, otherwise: number): number {
    const given = this.node.attributes.get(name);
    return given?.kind === 'int' ? given.value : otherwise;
  }

  /** A list of whole numbers, from an attribute or, where it has none, an input. */
  list(name: string, index: number): readonly number[] | undefined {
    const given = this.node.attributes.get(name);
    if (given?.kind === 'ints') return given.value;
    const known = this.known(index);
    return known && [...known.data];
  }

  /** Says what such a list becomes. */
  setList(name: string, index: number, values: readonly number[]): void {
    if (this.node.attributes.get(name)?.kind === 'ints') this.attributes.set(name, values);
    else values.forEach((value, i) => this.want(index, i, value));
  }

  /** Says what an element of an input has to be. */
  want = (index: number, element: number, value: number): void =>
    this.constants.want(this.node, this.node.inputs[index]!, element, value);

  /** Leaves some indices of an input that is known without data. */
  cut = (index: number, cuts: Cuts): void => this.constants.cut(this.node, this.node.inputs[index]!, cuts);
}
