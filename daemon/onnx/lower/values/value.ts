import type { DType, Node } from '../../../network/ir.js';
import type { NumberTensor } from './numberTensor.js';

/**
 * The meaning of a name of an ONNX graph while the graph is lowered. Axes are ONNX's. A permutation gives the layout in the graph of
 * operations, so that an ONNX Transpose, and a Transpose back, cost nothing.
 */
export type Value = NumberTensor | NodeValue | WeightValue;

/** A tensor that a pass computes. */
export interface NodeValue {
  readonly kind: 'node';
  readonly node: Node;
  /** Axis i of the ONNX value is axis axes[i] of the node. */
  readonly axes: readonly number[];
  /** The source of the value; see `Origin`. */
  readonly origin: Origin;
}

/** A weight of the network before it is read: its reader chooses the layout. */
export interface WeightValue {
  readonly kind: 'weight';
  /** The initializer; of several that share a tensor, the first. */
  readonly name: string;
  /** The shape of this view. */
  readonly dims: readonly number[];
  /** Axis i of this view is axis axes[i] of the file's tensor. */
  readonly axes: readonly number[];
}

/**
 * The source of a value. `weighted`: it depends on weights. A number: it depends on the data input of that number alone, changed element
 * by element or moved. `data`: it depends on several inputs.
 */
export type Origin = 'weighted' | 'data' | number;

export const naturalAxes = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i);

export const isNatural = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

/** ONNX's axes in the order channels last: [batch, ...places, channels]. */
export const channelsLast = (rank: number): number[] =>
  rank < 3 ? naturalAxes(rank) : [0, ...naturalAxes(rank).slice(2), 1];

/** The shape of a value, in ONNX's order of axes. */
export function dimsOf(value: Value): readonly number[] {
  return value.kind === 'node' ? value.axes.map((axis) => value.node.shape[axis]!) : value.dims;
}

export const typeOf = (value: Value): DType =>
  value.kind === 'node' ? value.node.dtype : value.kind === 'weight' ? 'float32' : value.dtype;
