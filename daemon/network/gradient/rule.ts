import type { Node } from '../ir.js';
import type { Operations } from '../operations.js';

/** One operation y that is being differentiated. */
export interface Call {
  readonly make: Operations;
  /** The node itself, whose value is y. */
  readonly y: Node;
  readonly inputs: readonly Node[];
  /** The gradient of the scalar with respect to y: float32, of y's shape. */
  readonly dy: Node;
}

/**
 * The rule of an operation: for each input the gradient of the scalar with respect to it, float32 and of its shape. It is null if the
 * operation is constant almost everywhere in the input, or the input is an index. Only gradients that are needed are computed.
 */
export type GradientRule = (call: Call) => readonly ((() => Node) | null)[];

/** The rule of operations that are constant almost everywhere. */
export const none: GradientRule = ({ inputs }) => inputs.map(() => null);

/** The rule of an operation of one input whose gradient is the formula's. */
export const single =
  (formula: (call: Call & { readonly x: Node }) => Node): GradientRule =>
  (call) => [() => formula({ ...call, x: call.inputs[0]! })];

export const list = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
export const number = (node: Node, name: string): number => node.attrs[name] as number;
export const flag = (node: Node, name: string): boolean => node.attrs[name] as boolean;
