import type { Attribute, DType, Node } from '../ir.js';
import { broadcastShape, sameShape } from '../ir.js';
import { Misfit } from '../misfit.js';

/** The conditions on every node of one operation, in any graph. */
export interface Rule {
  /** The number of inputs; `many`: at least one. */
  readonly arity: number | 'many';
  /** The names and kinds of its attributes. No other attribute is allowed. */
  readonly attrs: Readonly<Record<string, Kind>>;
  /** The element types of the inputs and of the node. @throws Broken */
  readonly types: (node: Node) => void;
  /**
   * The shape that the node must have, by its inputs and attributes. If these do not determine it, the rule checks the node's own shape
   * and returns it. @throws Broken
   */
  readonly shape: (node: Node) => readonly number[];
}

/** A rule that a node breaks. The message is a clause about the node. */
export class Broken extends Error {}

/** @throws Broken with the message, unless the condition holds. The message is built only then. */
export function demand(holds: boolean, rule: () => string): void {
  if (!holds) throw new Broken(rule());
}

/** The values that an attribute may have. */
export interface Kind {
  readonly words: string;
  readonly holds: (value: Attribute) => boolean;
}

const whole = (value: unknown, least: number): boolean => Number.isInteger(value) && (value as number) >= least;
const wholes = (value: Attribute, least: number, length?: number): boolean =>
  Array.isArray(value) && (length === undefined || value.length === length) && value.every((n) => whole(n, least));

export const kinds = {
  number: { words: 'a number, not NaN', holds: (value) => typeof value === 'number' && !Number.isNaN(value) },
  flag: { words: 'true or false', holds: (value) => typeof value === 'boolean' },
  mode: { words: '"reflect" or "symmetric"', holds: (value) => value === 'reflect' || value === 'symmetric' },
  axis: { words: 'a whole number from 0', holds: (value) => whole(value, 0) },
  wholes: { words: 'a list of whole numbers from 0', holds: (value) => wholes(value, 0) },
  positives: { words: 'a list of whole numbers from 1', holds: (value) => wholes(value, 1) },
  axes: {
    words: 'a list of axes, sorted, each once',
    holds: (value) => wholes(value, 0) && isAscending(value as readonly number[]),
  },
  pair: { words: 'two whole numbers from 1, of height and width', holds: (value) => wholes(value, 1, 2) },
  pads: { words: 'four whole numbers from 0: top, left, bottom, right', holds: (value) => wholes(value, 0, 4) },
} as const satisfies Record<string, Kind>;

const isAscending = (axes: readonly number[]): boolean => axes.every((axis, i) => i === 0 || axes[i - 1]! < axis);

/** Attributes whose kinds were checked. */
export const list = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
export const number = (node: Node, name: string): number => node.attrs[name] as number;
export const flag = (node: Node, name: string): boolean => node.attrs[name] as boolean;

export const allTypes: readonly DType[] = ['float32', 'int32', 'bool'];

/** All inputs have one of the accepted types, the same one; the node has that type, or `result`. */
export const alike =
  (accepted: readonly DType[], result?: DType): Rule['types'] =>
  ({ inputs, dtype }) => {
    const type = inputs[0]!.dtype;
    for (const input of inputs)
      demand(input.dtype === type, () => `its inputs must be of one type; they are ${inputs.map((n) => n.dtype).join(', ')}`); // prettier-ignore
    demand(accepted.includes(type), () => `its inputs must be ${accepted.join(' or ')}; they are ${type}`);
    hasType(dtype, [result ?? type]);
  };

/** Input number `index` has an accepted type. */
export function inputType({ inputs }: Node, index: number, accepted: readonly DType[]): void {
  const { dtype } = inputs[index]!;
  demand(accepted.includes(dtype), () => `input ${index} must be ${accepted.join(' or ')}; it is ${dtype}`);
}

/** The node's own type, `dtype`, is an accepted one. */
export function hasType(dtype: DType, accepted: readonly DType[]): void {
  demand(accepted.includes(dtype), () => `its result must be ${accepted.join(' or ')}; it is ${dtype}`);
}

/** float32 is the only accepted type. */
export const real = alike(['float32']);

/** @throws Broken unless the input has the rank. */
export function inputRank({ inputs }: Node, index: number, rank: number): void {
  const { shape } = inputs[index]!;
  demand(shape.length === rank, () => `input ${index} must have rank ${rank}; its shape is [${shape}]`);
}

/** @throws Broken unless the input has the shape. */
export function inputShape({ inputs }: Node, index: number, shape: readonly number[], why: string): void {
  const found = inputs[index]!.shape;
  demand(sameShape(found, shape), () => `input ${index} must have the shape [${shape}], ${why}; it has [${found}]`);
}

/** @throws Broken unless a list attribute has one entry for each axis of the input. */
export function perAxis(node: Node, ...names: readonly string[]): void {
  const rank = node.inputs[0]!.shape.length;
  for (const name of names)
    demand(list(node, name).length === rank, () => `"${name}" must have an entry for each of the ${rank} axes of its input; it is [${list(node, name)}]`); // prettier-ignore
}

/** @throws Broken unless the axis is one of the input's. Without an axis there is nothing to check. */
export function inRange(node: Node, axis = -1): void {
  const rank = node.inputs[0]!.shape.length;
  demand(axis < rank, () => `axis ${axis} must be below the rank of its input, ${rank}`);
}

/** The broadcast shape of all inputs. @throws Broken if they do not match. */
export function broadcast({ inputs }: Pick<Node, 'inputs'>): readonly number[] {
  let shape = inputs[0]!.shape;
  for (const input of inputs.slice(1)) {
    if (sameShape(shape, input.shape)) continue;
    try {
      shape = broadcastShape(shape, input.shape);
    } catch (error) {
      throw error instanceof Misfit ? new Broken(error.message) : error;
    }
  }
  return shape;
}
