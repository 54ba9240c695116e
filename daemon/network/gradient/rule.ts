import type { Node } from '../ir.js';
import type { Operations } from '../operations.js';

/** One operation y, to be differentiated. */
export interface Call {
  readonly make: Operations;
  /** The node itself, whose value is y. */
  readonly y: Node;
  readonly inputs: readonly Node[];
  /** The gradient of the scalar in y: float32, of its shape. */
  readonly dy: Node;
}

/**
 * What an operation passes on: for each input the gradient of the scalar in it, of its shape and float32, or null where the
 * operation has none (it is constant almost everywhere, or the input is an index). Only what is needed is asked for.
 */
export type GradientRule = (call: Call) => readonly ((() => Node) | null)[];

/** The rule of a family of operations that are constant almost everywhere. */
export const none: GradientRule = ({ inputs }) => inputs.map(() => null);

/** The rule of an operation of one input, whose gradient the formula gives. */
export const single =
  (formula: (call: Call & { readonly x: Node }) => Node): GradientRule =>
  (call) => [() => formula({ ...call, x: call.inputs[0]! })];

export const list = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
export const number = (node: Node, name: string): number => node.attrs[name] as number;
export const flag = (node: Node, name: string): boolean => node.attrs[name] as boolean;
